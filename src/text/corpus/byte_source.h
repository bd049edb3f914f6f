// The bytes of a file in order, decompressed where it is gzip or zstd; never more than a buffer in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace surprisal {

enum class Compression : std::uint8_t { none, gzip, zstd };

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills the front of `buffer` and returns how many bytes it wrote; 0 only at the end.
  // Throws Error: io (unreadable), data (truncated or damaged, or a zstd window that would take too much
  // memory).
  virtual std::size_t read(std::span<char> buffer) = 0;
  // Bytes taken from the file so far, compressed ones where it is compressed.
  virtual std::uint64_t position() const = 0;
};

// Throws Error (io): missing, a directory, no permission.
std::unique_ptr<ByteSource> open_byte_source(const std::string& path, Compression compression);

// One function a compression.
std::unique_ptr<ByteSource> open_gzip_source(const std::string& path);
std::unique_ptr<ByteSource> open_zstd_source(const std::string& path);

}  // namespace surprisal
