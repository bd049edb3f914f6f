#include "text/corpus/line_reader.h"

#include <cstring>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr std::size_t kBufferBytes = 1 << 18;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

LineReader::LineReader(const std::string& path, Compression compression, InvalidText invalid)
    : path_(path), invalid_(invalid), source_(open_byte_source(path, compression)), buffer_(kBufferBytes) {}

bool LineReader::next(std::string& line) {
  while (next_line(line)) {
    if (accept_utf8(line)) return true;
    ++skipped_;
  }
  return false;
}

bool LineReader::next_line(std::string& line) {
  line.clear();
  bool ended = append_rest(line);
  if (!ended && line.empty()) {
    if (number_ == 0) throw Error(ErrorKind::data, {.what = "the file is empty", .where = path_});
    return false;
  }
  ++number_;
  begin_of_line_ = offset_;
  offset_ += line.size() + (ended ? 1 : 0);
  if (number_ == 1) check_byte_order(line);
  if (ended && line.ends_with('\r')) line.pop_back();
  if (number_ == 1 && line.starts_with(kByteOrderMark)) {
    line.erase(0, kByteOrderMark.size());
    begin_of_line_ += kByteOrderMark.size();
  }
  return true;
}

// Appends up to the next LF, or up to the end of the file; true if there was an LF.
bool LineReader::append_rest(std::string& line) {
  while (true) {
    if (begin_ == end_) {
      begin_ = 0;
      end_ = source_->read(buffer_);
      if (end_ == 0) return false;
    }
    const char* from = buffer_.data() + begin_;
    const void* found = std::memchr(from, '\n', end_ - begin_);
    const char* to = found ? static_cast<const char*>(found) : buffer_.data() + end_;
    line.append(from, to);
    check_size(line);
    begin_ = static_cast<std::size_t>(to - buffer_.data()) + (found ? 1 : 0);
    if (found) return true;
  }
}

void LineReader::check_size(const std::string& line) const {
  if (line.size() <= kMostLineBytes) return;
  throw Error(ErrorKind::data, {.what = fmt::format("a line of more than {} MiB", kMostLineBytes >> 20),
                                .where = fmt::format("{}:{}", path_, number_ + 1),
                                .fix = "break the text into lines"});
}

// Read as UTF-8 such a file would be one long row of replacements.
void LineReader::check_byte_order(std::string_view line) const {
  if (!line.starts_with("\xFF\xFE") && !line.starts_with("\xFE\xFF")) return;
  throw Error(ErrorKind::data,
              {.what = "not UTF-8: the file begins with a byte order mark of UTF-16 or UTF-32",
               .where = path_,
               .fix = "convert the file to UTF-8 (iconv does that)"});
}

// False where the line is to be left out.
bool LineReader::accept_utf8(std::string& line) {
  std::size_t bad = find_invalid_utf8(line);
  if (bad == std::string_view::npos) return true;
  if (invalid_ == InvalidText::replace) replaced_ += replace_invalid_utf8(line);
  if (invalid_ != InvalidText::error) return invalid_ == InvalidText::replace;
  throw Error(
      ErrorKind::data,
      {.what = fmt::format("not UTF-8: byte 0x{:02X} at offset {}", static_cast<unsigned char>(line[bad]),
                           begin_of_line_ + bad),
       .where = where(),
       .fix = "convert the file to UTF-8 (iconv does that), or set data.invalid_utf8 to replace or skip"});
}

}  // namespace surprisal
