#include "store/stored_parameters.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "surprisal/error.h"

#include "core/parallel.h"
#include "ops/transpose.h"
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
  void add(std::string misfit, bool of_head) {
    if (++count_ <= kMaxListed) text_ += (text_.empty() ? "" : "; ") + std::move(misfit);
    only_heads_ = only_heads_ && of_head;
  }
  void throw_if_any(const std::string& where) const {
    if (count_ == 0) return;
    const std::string more =
        count_ > kMaxListed ? "; and " + std::to_string(count_ - kMaxListed) + " more" : "";
    const std::string counted = count_ == 1 ? "1 tensor does" : std::to_string(count_) + " tensors do";
    ErrorParts parts{.what = counted + " not fit the configuration: " + text_ + more, .where = where};
    if (only_heads_) {
      parts.fix =
          "to train from the body of this checkpoint, model.new_heads = true draws the missing heads anew "
          "and "
          "leaves out those of other tasks";
    }
    throw Error(ErrorKind::data, std::move(parts));
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
  bool only_heads_ = true;
};

using TensorsByName = std::map<std::string, const StoredTensor*>;

// Elements are compared as they will be used, so a copy of another dtype may be equal.
bool same_values(const StoredTensor& a, const StoredTensor& b) {
  if (a.shape != b.shape) return false;
  if (a.dtype == b.dtype) {
    return a.bytes.empty() || std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
  }
  if (!can_widen(a.dtype) || !can_widen(b.dtype)) return false;
  constexpr std::int64_t kBlock = 4096;
  std::vector<float> left(kBlock), right(kBlock);
  for (std::int64_t begin = 0; begin < a.elements(); begin += kBlock) {
    const auto size = static_cast<std::size_t>(std::min(kBlock, a.elements() - begin));
    widen(a, begin, std::span(left).first(size));
    widen(b, begin, std::span(right).first(size));
    if (std::memcmp(left.data(), right.data(), size * sizeof(float)) != 0) return false;
  }
  return true;
}

// What is a buffer in one model may be a head of another: `bindings` go before.
TensorsByName by_current_name(const Family& family, const TensorFiles& files,
                              const std::vector<Binding>& bindings = {},
                              std::string (*current)(const Family&, std::string_view) = current_name) {
  TensorsByName tensors;
  for (const StoredTensor* tensor : files.tensors()) {
    std::string name = current(family, tensor->name);
    if (family.buffer(name) && std::ranges::find(bindings, name, &Binding::stored) == bindings.end())
      continue;
    const auto [entry, added] = tensors.emplace(std::move(name), tensor);
    if (added) continue;
    throw Error(ErrorKind::data,
                {.what = "two tensors are the same one under an older and a newer name",
                 .where = files.path().string(),
                 .found = quoted_name(entry->second->name) + " and " + quoted_name(tensor->name)});
  }
  return tensors;
}

// Leaves one of each pair, under the first name.
void drop_copies(const ParameterStore& store, const std::string& where, TensorsByName& tensors) {
  for (const SharedTensor& shared : store.family.shared(store.config)) {
    auto copy = tensors.find(shared.copy);
    if (copy == tensors.end()) continue;
    const auto [first, only_copy] = tensors.emplace(shared.of, copy->second);
    if (!only_copy && shared.equal && !same_values(*copy->second, *first->second)) {
      throw Error(ErrorKind::data,
                  {.what = "two tensors that the model shares differ",
                   .where = where,
                   .found = quoted_name(copy->second->name) + " and " + quoted_name(first->second->name),
                   .expected = "equal ones",
                   .fix = "if the model was trained with two of them, its config.json says "
                          "\"tie_word_embeddings\": false"});
    }
    tensors.erase(copy);
  }
}

void check_tensor(const StoredTensor& tensor, const std::string& name,
                  const std::vector<std::int64_t>& expected, Misfits& misfits) {
  if (tensor.shape != expected) {
    misfits.add(
        name + " has a wrong shape, found " + shape_text(tensor.shape) + ", expected " + shape_text(expected),
        false);
  } else if (!can_widen(tensor.dtype)) {
    misfits.add(name + " has a wrong dtype, found " + tensor.dtype + ", expected F32, F16 or BF16", false);
  }
}

// A classifier of other classes is another task's head, though its tensors have the same names.
void leave_out_other_classes(const ParameterStore& store, TensorsByName& tensors, HeadsOfOthers& heads) {
  for (const Binding& binding : store.bindings) {
    const auto tensor = tensors.find(binding.stored);
    if (tensor == tensors.end() || tensor->second->shape == binding.stored_shape(store.table)) continue;
    if (!is_of_classifier(store.family, store.config.task, binding.stored)) continue;
    heads.left_out.push_back(tensor->second->name);
    tensors.erase(tensor);
  }
}

// Takes out of `tensors` what is left out though the model has the name.
HeadsOfOthers check_all(TensorsByName& tensors, const ParameterStore& store, bool new_heads,
                        const std::string& where) {
  Misfits misfits;
  HeadsOfOthers heads;
  if (new_heads && store.has_heads) leave_out_other_classes(store, tensors, heads);
  std::set<std::string_view> wanted;
  for (const Binding& binding : store.bindings) {
    wanted.insert(binding.stored);
    const bool of_head = store.has_heads && is_of_head(store.family, binding.stored);
    const std::vector<std::int64_t> expected = binding.stored_shape(store.table);
    auto tensor = tensors.find(binding.stored);
    if (tensor != tensors.end()) {
      check_tensor(*tensor->second, binding.stored, expected, misfits);
    } else if (of_head && new_heads) {
      heads.missing.push_back(binding.stored);
    } else {
      misfits.add(binding.stored + " is missing, expected " + shape_text(expected), of_head);
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (wanted.contains(name)) continue;
    const bool of_head = store.has_heads && is_of_head(store.family, name);
    if (of_head && new_heads) {
      heads.left_out.push_back(tensor->name);
    } else {
      misfits.add(quoted_name(tensor->name) + " is not expected, found " + shape_text(tensor->shape),
                  of_head);
    }
  }
  misfits.throw_if_any(where);
  return heads;
}

// A piece of one tensor that one thread reads: 1 MiB of f32, so that several are there for each thread and
// page faults of the mapping are shared.
constexpr std::int64_t kPiece = std::int64_t{1} << 18;

struct Piece {
  const StoredTensor* tensor;
  Place place;
  bool transposed;
  std::int64_t begin, end;  // elements of ours behind place.offset, or columns where it is transposed
  std::int64_t stored = 0;  // where the piece begins in the tensor, if it is not transposed
};

void add_pieces(const StoredTensor& tensor, const Place& place, bool transposed, std::vector<Piece>& pieces) {
  const std::int64_t size = transposed ? place.columns : place.rows * place.columns;
  // Whole cache lines of ours: no two threads write one.
  const std::int64_t step = transposed ? std::max<std::int64_t>(kPiece / place.rows / 16, 1) * 16 : kPiece;
  for (std::int64_t begin = 0; begin < size; begin += step) {
    pieces.push_back({&tensor, place, transposed, begin, std::min(begin + step, size), begin});
  }
}

// Of a tensor whose rows are stored head by head, the part (0: query, 1: key, 2: value) of a head lies in one
// piece in both: the `index`-th in the file.
struct HeadBlocks {
  std::int64_t heads, size;  // elements of one

  HeadBlocks(const Place& place, std::int64_t head_count)
      : heads(head_count), size(place.rows * place.columns / (3 * head_count)) {}
  std::int64_t count() const { return 3 * heads; }
  std::int64_t ours(std::int64_t index) const { return (index % 3 * heads + index / 3) * size; }
};

void add_head_pieces(const StoredTensor& tensor, const Place& place, std::int64_t heads,
                     std::vector<Piece>& pieces) {
  const HeadBlocks blocks(place, heads);
  for (std::int64_t index = 0; index < blocks.count(); ++index) {
    const std::int64_t ours = blocks.ours(index);
    pieces.push_back({&tensor, place, false, ours, ours + blocks.size, index * blocks.size});
  }
}

// The bytes as floats, where they are floats at an address of floats.
const float* as_floats(const StoredTensor& tensor) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(float) == 0;
  return tensor.dtype == "F32" && aligned ? reinterpret_cast<const float*>(tensor.bytes.data()) : nullptr;
}

// Stored [columns, rows] to ours [rows, columns], a few stored rows at a time: each cache line of ours is
// then filled in one go.
void read_transposed(const Piece& piece, float* ours) {
  constexpr std::int64_t kBlock = 16;
  const auto [offset, rows, columns] = piece.place;
  if (const float* stored = as_floats(*piece.tensor)) {
    transpose(piece.end - piece.begin, rows, stored + piece.begin * rows, rows, ours + piece.begin, columns);
    return;
  }
  std::vector<float> block(static_cast<std::size_t>(kBlock * rows));
  for (std::int64_t begin = piece.begin; begin < piece.end; begin += kBlock) {
    const std::int64_t size = std::min(kBlock, piece.end - begin);
    widen(*piece.tensor, begin * rows, std::span(block).first(static_cast<std::size_t>(size * rows)));
    transpose(size, rows, block.data(), rows, ours + begin, columns);
  }
}

void read_piece(const Piece& piece, std::span<float> flat) {
  float* ours = flat.data() + piece.place.offset;
  if (piece.transposed) return read_transposed(piece, ours);
  widen(*piece.tensor, piece.stored, {ours + piece.begin, static_cast<std::size_t>(piece.end - piece.begin)});
}

// Elements [begin, begin + out.size()) of the transpose of `ours`.
void write_transposed(const float* ours, const Place& place, std::int64_t begin, std::span<float> out) {
  std::int64_t column = begin / place.rows, row = begin % place.rows;
  for (float& value : out) {
    value = ours[row * place.columns + column];
    if (++row == place.rows) row = 0, ++column;
  }
}

// Elements [begin, begin + out.size()) of the tensor that is stored head by head.
void write_heads(const float* ours, const HeadBlocks& blocks, std::int64_t begin, std::span<float> out) {
  while (!out.empty()) {
    const std::int64_t index = begin / blocks.size, within = begin % blocks.size;
    const auto count = std::min(out.size(), static_cast<std::size_t>(blocks.size - within));
    std::copy_n(ours + blocks.ours(index) + within, count, out.begin());
    begin += static_cast<std::int64_t>(count);
    out = out.subspan(count);
  }
}

}  // namespace

ParameterStore make_parameter_store(const ModelConfig& config, const ParameterTable& table) {
  const Family& family = find_family(config.family, "model");
  return {.family = family, .config = config, .table = table, .bindings = family.bindings(config, table)};
}

HeadsOfOthers check_parameters(const TensorFiles& files, const ParameterStore& store) {
  const std::string where = files.path().string();
  TensorsByName tensors = by_current_name(store.family, files, store.bindings, store.current);
  drop_copies(store, where, tensors);
  return check_all(tensors, store, true, where);
}

HeadsOfOthers read_parameters(const TensorFiles& files, const ParameterStore& store, bool new_heads,
                              std::span<float> flat) {
  const std::string where = files.path().string();
  TensorsByName tensors = by_current_name(store.family, files, store.bindings, store.current);
  drop_copies(store, where, tensors);
  HeadsOfOthers heads = check_all(tensors, store, new_heads, where);
  std::vector<Piece> pieces;
  for (const Binding& binding : store.bindings) {
    auto tensor = tensors.find(binding.stored);
    if (tensor == tensors.end()) continue;  // one of heads.missing
    const Place place = place_of(binding, store.table);
    if (binding.heads > 0) {
      add_head_pieces(*tensor->second, place, binding.heads, pieces);
    } else {
      add_pieces(*tensor->second, place, binding.transposed, pieces);
    }
  }
  parallel_for(std::ssize(pieces),
               [&](std::int64_t piece, int) { read_piece(pieces[static_cast<std::size_t>(piece)], flat); });
  return heads;
}

std::vector<std::string> current_names(const Family& family, const TensorFiles& files) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : by_current_name(family, files)) names.push_back(name);
  return names;
}

std::vector<TensorToWrite> parameters_to_write(const ParameterStore& store, std::span<const float> flat,
                                               Dtype dtype) {
  std::vector<TensorToWrite> tensors;
  for (const Binding& binding : store.bindings) {
    const Place place = place_of(binding, store.table);
    const float* ours = flat.data() + place.offset;
    const bool transposed = binding.transposed;
    const std::int64_t heads = binding.heads;
    auto fill = [place, ours, transposed, heads](std::int64_t begin, std::span<float> out) {
      if (transposed) return write_transposed(ours, place, begin, out);
      if (heads > 0) return write_heads(ours, HeadBlocks(place, heads), begin, out);
      std::copy_n(ours + begin, out.size(), out.begin());
    };
    tensors.push_back({binding.stored, binding.stored_shape(store.table), std::move(fill), dtype});
  }
  return tensors;
}

}  // namespace surprisal
