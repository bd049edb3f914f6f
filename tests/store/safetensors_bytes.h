// Safetensors files put together by hand, so that every rule can be broken one at a time.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {

inline void write_bytes(const std::filesystem::path& path, std::string_view bytes) {
  FileWriter file(path);
  file.write(bytes);
  file.commit();
}

inline std::string length_bytes(std::uint64_t length) {
  const auto bytes = std::bit_cast<std::array<char, 8>>(length);
  return {bytes.data(), bytes.size()};
}
inline std::string safetensors_bytes(const std::string& header, const std::string& data) {
  return length_bytes(header.size()) + header + data;
}

template <typename T>
std::string number_bytes(std::initializer_list<T> numbers) {
  return {reinterpret_cast<const char*>(numbers.begin()), numbers.size() * sizeof(T)};
}

}  // namespace surprisal
