// The JSON header of a safetensors file, checked against the size of the data behind it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

struct TensorEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::int64_t begin = 0, end = 0;  // bytes of the data part
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // by name
  std::map<std::string, std::string> metadata;
};

// `text` is the header alone, `data_size` the bytes behind it. Throws Error (data) naming `where`, the
// tensor, found and expected.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::int64_t data_size,
                                           const std::string& where);

// A name from a file as it may stand in a message: quoted, escaped and cut to a length that a terminal bears.
std::string quoted_name(std::string_view name);
// "[2, 3]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace surprisal
