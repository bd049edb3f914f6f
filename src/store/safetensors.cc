#include "store/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstring>

#include "surprisal/error.h"

#include "core/json.h"
#include "store/safetensors_header.h"
#include "store/widen.h"

namespace surprisal {
namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers go to the file and back as they are in memory");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit
constexpr std::size_t kAlignment = 8;                   // of the data's first byte
constexpr std::int64_t kChunk = std::int64_t{1} << 18;  // elements held at a time when writing

// The header's text, behind checks of its length.
std::string_view header_text(const MappedFile& file) {
  const std::string where = file.path().string();
  if (file.size() < kLengthBytes) {
    throw Error(ErrorKind::data, {.what = "truncated: no room for the header's length",
                                  .where = where,
                                  .found = std::to_string(file.size()) + " bytes",
                                  .expected = "at least 8"});
  }
  std::uint64_t length = 0;
  std::memcpy(&length, file.bytes().data(), kLengthBytes);
  const std::uint64_t most = std::min<std::uint64_t>(kMaxHeaderBytes, file.size() - kLengthBytes);
  if (file.text().starts_with("version https://git-lfs")) {
    throw Error(ErrorKind::data, {.what = "a pointer of git-lfs stands where the tensors should",
                                  .where = where,
                                  .fix = "fetch the file itself: git lfs pull"});
  }
  if (length > most) {
    throw Error(ErrorKind::data,
                {.what = "not a safetensors file, or truncated: the header's length is too large",
                 .where = where,
                 .found = std::to_string(length) + " bytes",
                 .expected = "at most " + std::to_string(most)});
  }
  return file.text().substr(kLengthBytes, static_cast<std::size_t>(length));
}

std::int64_t product(const std::vector<std::int64_t>& shape) {
  std::int64_t elements = 1;
  for (std::int64_t size : shape) elements *= size;
  return elements;
}

std::int64_t size_of(const TensorToWrite& tensor) {
  return product(tensor.shape) * static_cast<std::int64_t>(size_of(tensor.dtype));
}
std::int64_t size_of(const BytesToWrite& tensor) {
  return tensor.size;
}

std::string dtype_name(const TensorToWrite& tensor) {
  assert(tensor.dtype == Dtype::f32 || tensor.dtype == Dtype::bf16 || tensor.dtype == Dtype::f16);
  return tensor.dtype == Dtype::f32 ? "F32" : tensor.dtype == Dtype::bf16 ? "BF16" : "F16";
}
std::string dtype_name(const BytesToWrite& tensor) {
  return tensor.dtype;
}

template <class ToWrite>
std::string make_header(const std::vector<const ToWrite*>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  OrderedJson header;
  header["__metadata__"] = metadata;
  std::int64_t offset = 0;
  for (const ToWrite* tensor : tensors) {
    assert(!header.contains(tensor->name) && "names are unique");
    const std::int64_t end = offset + size_of(*tensor);
    header[tensor->name] = {
        {"dtype", dtype_name(*tensor)}, {"shape", tensor->shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

void require_in_range(const std::string& name, std::span<const float> values) {
  constexpr float kLargest = 65504;  // of F16
  for (float value : values) {
    if (!(std::abs(value) > kLargest) || std::isinf(value)) continue;
    throw Error(ErrorKind::data, {.what = "tensor " + quoted_name(name) + " has a number beyond F16",
                                  .found = std::to_string(value),
                                  .expected = "at most 65504",
                                  .fix = "write it as BF16 or F32"});
  }
}

void write_tensor(FileWriter& file, const TensorToWrite& tensor, std::vector<float>& buffer) {
  const std::int64_t elements = product(tensor.shape);
  std::vector<std::uint16_t> rounded;
  for (std::int64_t begin = 0; begin < elements; begin += kChunk) {
    buffer.resize(static_cast<std::size_t>(std::min(kChunk, elements - begin)));
    tensor.fill(begin, buffer);
    if (tensor.dtype != Dtype::f32) {
      rounded.resize(buffer.size());
      const bool half = tensor.dtype == Dtype::f16;
      std::transform(buffer.begin(), buffer.end(), rounded.begin(), half ? round_to_f16 : round_to_bf16);
      if (half) require_in_range(tensor.name, buffer);
      file.write(std::as_bytes(std::span<const std::uint16_t>(rounded)));
    } else {
      file.write(std::as_bytes(std::span<const float>(buffer)));
    }
  }
}

void write_tensor(FileWriter& file, const BytesToWrite& tensor, std::vector<float>&) {
  std::int64_t left = tensor.size;
  tensor.produce([&](std::span<const std::byte> bytes) {
    left -= static_cast<std::int64_t>(bytes.size());
    file.write(bytes);
  });
  assert(left == 0 && "as many bytes as the header says");
}

template <class ToWrite>
void write_file(const std::filesystem::path& path, const std::vector<ToWrite>& tensors,
                const std::map<std::string, std::string>& metadata) {
  std::vector<const ToWrite*> order;
  for (const ToWrite& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const ToWrite* a, const ToWrite* b) { return a->name < b->name; });
  const std::string header = make_header(order, metadata);
  const auto length = std::bit_cast<std::array<char, kLengthBytes>>(std::uint64_t{header.size()});
  FileWriter file(path);
  file.write(std::string_view(length.data(), length.size()));
  file.write(header);
  std::vector<float> buffer;
  for (const ToWrite* tensor : order) write_tensor(file, *tensor, buffer);
  file.commit();
}

}  // namespace

std::int64_t StoredTensor::elements() const {
  return product(shape);
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : file_(path) {
  const std::string_view text = header_text(file_);
  const std::span<const std::byte> data = file_.bytes().subspan(kLengthBytes + text.size());
  SafetensorsHeader header =
      parse_safetensors_header(text, static_cast<std::int64_t>(data.size()), path.string());
  metadata_ = std::move(header.metadata);
  for (TensorEntry& entry : header.tensors) {
    const auto begin = static_cast<std::size_t>(entry.begin), end = static_cast<std::size_t>(entry.end);
    tensors_.push_back({std::move(entry.name), std::move(entry.dtype), std::move(entry.shape),
                        data.subspan(begin, end - begin)});
  }
}

const StoredTensor* SafetensorsFile::find(const std::string& name) const {
  auto tensor = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                 [](const StoredTensor& a, const std::string& b) { return a.name < b; });
  return tensor != tensors_.end() && tensor->name == name ? &*tensor : nullptr;
}

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_file(path, tensors, metadata);
}

void write_safetensors(const std::filesystem::path& path, const std::vector<BytesToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_file(path, tensors, metadata);
}

}  // namespace surprisal
