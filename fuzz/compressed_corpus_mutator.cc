// Half the time changes the text and compresses it anew: behind a checksum mutations of the file reach
// nothing.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "fuzz/compression.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  using namespace surprisal::fuzz;
  constexpr std::size_t kMostText = 4096;
  if (size < 2 || seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const bool is_zstd = data[0] & 1;
  const std::string_view file(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string text = is_zstd ? unzstd(file, kMostText) : gunzip(file, kMostText);
  const std::size_t text_size = text.size();
  text.resize(kMostText);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), text_size, kMostText));
  std::string changed = is_zstd ? zstd(text) : gzip(text);
  changed.resize(std::min(changed.size(), max_size - 1));
  std::memcpy(data + 1, changed.data(), changed.size());
  return 1 + changed.size();
}
