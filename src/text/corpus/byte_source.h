// The bytes of a file in order, decompressed where it is gzip; never more than a buffer in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace surprisal {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills the front of `buffer` and returns how many bytes it wrote; 0 only at the end.
  // Throws Error (io): unreadable, truncated or damaged gzip.
  virtual std::size_t read(std::span<char> buffer) = 0;
  // Bytes taken from the file so far, compressed ones of gzip.
  virtual std::uint64_t position() const = 0;
};

// Throws Error (io): missing, a directory, no permission.
std::unique_ptr<ByteSource> open_byte_source(const std::string& path, bool gzip);

}  // namespace surprisal
