// Lines of UTF-8 text from a file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/corpus/byte_source.h"
#include "text/corpus/invalid_text.h"

namespace surprisal {

// A line is held whole, and what a tokenizer makes of it is several times as large.
inline constexpr std::uint64_t kMostLineBytes = std::uint64_t{1} << 28;

class LineReader {
 public:
  // Throws Error (io) as open_byte_source does.
  LineReader(const std::string& path, Compression compression, InvalidText invalid);

  // The next line without its end, LF or CRLF; false at the end of the file. A byte order mark at the file's
  // start is dropped, one of UTF-16 or UTF-32 refused whatever `invalid` says. Throws Error: data (not UTF-8,
  // with the bad byte's offset in the decompressed file; a line longer than kMostLineBytes; damaged or
  // truncated data; an empty file).
  bool next(std::string& line);

  // So far, by what `invalid` says:
  std::uint64_t replaced() const { return replaced_; }  // sequences made U+FFFD
  std::uint64_t skipped() const { return skipped_; }    // lines left out

  std::uint64_t number() const { return number_; }  // 1-based, of the line last given
  std::string where() const { return path_ + ":" + std::to_string(number_); }
  const std::string& path() const { return path_; }
  std::uint64_t position() const { return source_->position(); }  // bytes of the file on disk

 private:
  bool next_line(std::string& line);
  bool append_rest(std::string& line);
  void check_size(const std::string& line) const;
  void check_byte_order(std::string_view line) const;
  bool accept_utf8(std::string& line);

  std::string path_;
  InvalidText invalid_;
  std::unique_ptr<ByteSource> source_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what is left of the buffer
  std::uint64_t offset_ = 0;         // of the next line in the decompressed file
  std::uint64_t begin_of_line_ = 0;  // offset of the line last read
  std::uint64_t number_ = 0, replaced_ = 0, skipped_ = 0;
};

}  // namespace surprisal
