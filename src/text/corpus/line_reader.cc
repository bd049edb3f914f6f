#include "text/corpus/line_reader.h"

#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr std::size_t kBufferBytes = 1 << 18;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

LineReader::LineReader(const std::string& path, bool gzip)
    : path_(path), source_(open_byte_source(path, gzip)), buffer_(kBufferBytes) {}

bool LineReader::next(std::string& line) {
  line.clear();
  bool ended = append_rest(line);
  if (!ended && line.empty()) {
    if (number_ == 0) throw Error(ErrorKind::data, {.what = "the file is empty", .where = path_});
    return false;
  }
  ++number_;
  std::uint64_t begin = offset_;
  offset_ += line.size() + (ended ? 1 : 0);
  check_utf8(line, begin);
  if (ended && line.ends_with('\r')) line.pop_back();
  if (begin == 0 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
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
  if (line.size() <= std::numeric_limits<std::uint32_t>::max()) return;
  throw Error(ErrorKind::data, {.what = "a line of more than 4 GiB",
                                .where = fmt::format("{}:{}", path_, number_ + 1),
                                .fix = "break the text into lines"});
}

void LineReader::check_utf8(std::string_view line, std::uint64_t offset) const {
  std::size_t bad = find_invalid_utf8(line);
  if (bad == std::string_view::npos) return;
  throw Error(ErrorKind::data, {.what = fmt::format("not UTF-8: byte 0x{:02X} at offset {}",
                                                    static_cast<unsigned char>(line[bad]), offset + bad),
                                .where = where(),
                                .fix = "convert the file to UTF-8 (iconv does that)"});
}

}  // namespace surprisal
