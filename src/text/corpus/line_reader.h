// Lines of UTF-8 text from a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/byte_source.h"

namespace surprisal {

class LineReader {
 public:
  // Throws Error (io) as open_byte_source does.
  LineReader(const std::string& path, bool gzip);

  // The next line without its end, LF or CRLF; false at the end of the file. A byte order mark at the file's
  // start is dropped. Throws Error: data (not UTF-8, with the bad byte's offset in the decompressed file; a
  // line of 4 GiB; damaged or truncated gzip; an empty file).
  bool next(std::string& line);

  std::uint64_t number() const { return number_; }  // 1-based, of the line last given
  std::string where() const { return path_ + ":" + std::to_string(number_); }
  const std::string& path() const { return path_; }
  std::uint64_t position() const { return source_->position(); }  // bytes of the file on disk

 private:
  bool append_rest(std::string& line);
  void check_size(const std::string& line) const;
  void check_utf8(std::string_view line, std::uint64_t offset) const;

  std::string path_;
  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what is left of the buffer
  std::uint64_t offset_ = 0;         // of the next line in the decompressed file
  std::uint64_t number_ = 0;
};

}  // namespace surprisal
