// The safetensors format: 8-byte little-endian header length, JSON header, tensors end to end.
// (huggingface/safetensors, README "Format".)
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/tensor.h"

namespace surprisal {

struct StoredTensor {
  std::string name;
  std::string dtype;                 // "F32", "F16", "I64" ... as the file spells it
  std::vector<std::int64_t> shape;   // any rank
  std::span<const std::byte> bytes;  // into the mapping; not aligned beyond 1
  std::int64_t elements() const;
};

// Validated whole when opened, before anything is used: header length, JSON, names, dtypes, shapes and
// offsets that cover the buffer without gap or overlap and end with the file. Throws Error (data) with file,
// tensor, found, expected.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // by name
  const StoredTensor* find(const std::string& name) const;               // null if absent
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  MappedFile file_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

// A tensor to write: its f32 values are produced row block by row block so that no transposed copy of it is
// held.
struct TensorToWrite {
  std::string name;
  std::vector<std::int64_t> shape;
  // Fills `out` with elements [begin, begin + out.size()) in the stored (row-major) order.
  std::function<void(std::int64_t begin, std::span<float> out)> fill;
  Dtype dtype = Dtype::f32;  // or bf16: rounded to nearest, ties to even
};

// A tensor to write as the bytes that it has elsewhere, in any dtype.
struct BytesToWrite {
  using Sink = std::function<void(std::span<const std::byte>)>;
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::int64_t size = 0;  // bytes
  // Gives `sink` all of them, in order and in pieces of any size.
  std::function<void(const Sink& sink)> produce;
};

// Writes tensors sorted by name, header padded to 8 bytes, metadata {"format": "pt"} unless given; synced
// to disk.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});
void write_safetensors(const std::filesystem::path& path, const std::vector<BytesToWrite>& tensors,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace surprisal
