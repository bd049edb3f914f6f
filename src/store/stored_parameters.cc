#include "store/stored_parameters.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "surprisal/error.h"

#include "store/safetensors_header.h"
#include "store/widen.h"

namespace surprisal {
namespace {

// A file of a million stray tensors must not make a message of a gigabyte.
constexpr std::size_t kMaxListed = 1000;

// Where a binding's values lie in the flat array: [rows, columns], row-major.
struct Place {
  std::int64_t offset, rows, columns;
};

Place place_of(const Binding& binding, const ParameterTable& table) {
  const Parameter& parameter = table.parameters[static_cast<std::size_t>(binding.parameter)];
  const std::int64_t columns = parameter.shape.rank() == 1 ? 1 : parameter.shape[1];
  return {parameter.offset + binding.row_begin * columns, binding.row_end - binding.row_begin, columns};
}

class Misfits {
 public:
  void add(std::string misfit) {
    if (++count_ <= kMaxListed) text_ += (text_.empty() ? "" : "; ") + std::move(misfit);
  }
  void throw_if_any(const std::string& where) const {
    if (count_ == 0) return;
    const std::string more =
        count_ > kMaxListed ? "; and " + std::to_string(count_ - kMaxListed) + " more" : "";
    const std::string counted = count_ == 1 ? "1 tensor does" : std::to_string(count_) + " tensors do";
    throw Error(ErrorKind::data,
                {.what = counted + " not fit the configuration: " + text_ + more, .where = where});
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
};

void check_tensor(const StoredTensor* tensor, const std::string& name,
                  const std::vector<std::int64_t>& expected, Misfits& misfits) {
  if (tensor == nullptr) {
    misfits.add(name + " is missing, expected " + shape_text(expected));
  } else if (tensor->shape != expected) {
    misfits.add(name + " has a wrong shape, found " + shape_text(tensor->shape) + ", expected " +
                shape_text(expected));
  } else if (!can_widen(tensor->dtype)) {
    misfits.add(name + " has a wrong dtype, found " + tensor->dtype + ", expected F32, F16 or BF16");
  }
}

void check_all(const SafetensorsFile& file, const ParameterStore& store) {
  Misfits misfits;
  std::set<std::string_view> wanted;
  for (const Binding& binding : store.bindings) {
    wanted.insert(binding.stored);
    check_tensor(file.find(binding.stored), binding.stored, binding.stored_shape(store.table), misfits);
  }
  for (const StoredTensor& tensor : file.tensors()) {
    if (wanted.contains(tensor.name) || store.family.ignored(tensor.name)) continue;
    misfits.add(quoted_name(tensor.name) + " is not expected, found " + shape_text(tensor.shape));
  }
  misfits.throw_if_any(file.path().string());
}

// Stored [columns, rows] to ours [rows, columns], a few stored rows at a time: each cache line of ours is
// then filled in one go.
void read_transposed(const StoredTensor& tensor, const Place& place, float* ours) {
  constexpr std::int64_t kBlock = 16;
  std::vector<float> block(static_cast<std::size_t>(kBlock * place.rows));
  for (std::int64_t begin = 0; begin < place.columns; begin += kBlock) {
    const std::int64_t size = std::min(kBlock, place.columns - begin);
    widen(tensor, begin * place.rows, std::span(block).first(static_cast<std::size_t>(size * place.rows)));
    for (std::int64_t row = 0; row < place.rows; ++row) {
      for (std::int64_t i = 0; i < size; ++i) {
        ours[row * place.columns + begin + i] = block[static_cast<std::size_t>(i * place.rows + row)];
      }
    }
  }
}

// Elements [begin, begin + out.size()) of the transpose of `ours`.
void write_transposed(const float* ours, const Place& place, std::int64_t begin, std::span<float> out) {
  std::int64_t column = begin / place.rows, row = begin % place.rows;
  for (float& value : out) {
    value = ours[row * place.columns + column];
    if (++row == place.rows) row = 0, ++column;
  }
}

}  // namespace

ParameterStore make_parameter_store(const ModelConfig& config, const ParameterTable& table) {
  const Family& family = find_family(config.family, "model");
  return {family, table, family.bindings(config, table)};
}

void read_parameters(const SafetensorsFile& file, const ParameterStore& store, std::span<float> flat) {
  check_all(file, store);
  for (const Binding& binding : store.bindings) {
    const StoredTensor& tensor = *file.find(binding.stored);
    const Place place = place_of(binding, store.table);
    float* ours = flat.data() + place.offset;
    if (binding.transposed) {
      read_transposed(tensor, place, ours);
    } else {
      widen(tensor, 0, {ours, static_cast<std::size_t>(place.rows * place.columns)});
    }
  }
}

std::vector<TensorToWrite> parameters_to_write(const ParameterStore& store, std::span<const float> flat) {
  std::vector<TensorToWrite> tensors;
  for (const Binding& binding : store.bindings) {
    const Place place = place_of(binding, store.table);
    const float* ours = flat.data() + place.offset;
    const bool transposed = binding.transposed;
    auto fill = [place, ours, transposed](std::int64_t begin, std::span<float> out) {
      if (transposed) return write_transposed(ours, place, begin, out);
      std::copy_n(ours + begin, out.size(), out.begin());
    };
    tensors.push_back({binding.stored, binding.stored_shape(store.table), std::move(fill)});
  }
  return tensors;
}

}  // namespace surprisal
