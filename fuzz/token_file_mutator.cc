// Writes the hashes that the changed content has: with wrong ones a file is not looked at.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <xxhash.h>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  constexpr std::size_t kTrailer = 136, kContent = kTrailer - 24,
                        kHash = kTrailer - 8;  // text/corpus/token_file.cc
  size = LLVMFuzzerMutate(data, size, max_size);
  if (size < kTrailer || seed % 16 == 0) return size;
  std::uint8_t* trailer = data + size - kTrailer;
  const XXH128_hash_t content = XXH3_128bits(data, size - kTrailer);
  std::memcpy(trailer + kContent, &content.high64, 8);
  std::memcpy(trailer + kContent + 8, &content.low64, 8);
  const std::uint64_t hash = XXH3_64bits(trailer, kHash);
  std::memcpy(trailer + kHash, &hash, 8);
  return size;
}
