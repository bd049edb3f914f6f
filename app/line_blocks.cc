#include "line_blocks.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include <unistd.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 22;

std::size_t read_standard_input(std::span<char> buffer) {
  while (true) {
    ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    throw Error(ErrorKind::io,
                {.what = "cannot read", .where = "standard input", .found = std::strerror(errno)});
  }
}

}  // namespace

LineBlocks::LineBlocks(const std::string& file) {
  if (file != "-") file_.emplace(file);
}

bool LineBlocks::next(std::vector<std::string_view>& lines) {
  first_number_ += lines_;
  lines.clear();
  // What is left over holds no \n, so that only what is new has to be looked at.
  std::size_t seen = size_ - done_, end = std::string::npos;
  while (end == std::string::npos && read_more()) {
    std::string_view text(buffer_.data(), size_);
    end = text.substr(seen).rfind('\n') == std::string_view::npos ? end : text.rfind('\n') + 1;
    seen = size_;
  }
  if (end == std::string::npos) end = size_;  // the last line
  for (std::string_view rest(buffer_.data() + done_, end - done_); !rest.empty();) {
    std::size_t length = rest.find('\n');
    lines.push_back(rest.substr(0, length));
    rest.remove_prefix(length == std::string_view::npos ? rest.size() : length + 1);
  }
  done_ = end;
  lines_ = lines.size();
  return !lines.empty();
}

// Moves what is left over to the front and reads behind it; false at the end.
bool LineBlocks::read_more() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(done_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(size_), buffer_.begin());
  size_ -= done_;
  done_ = 0;
  if (buffer_.size() - size_ < kBlockBytes / 2) buffer_.resize(std::max(kBlockBytes, 2 * buffer_.size()));
  std::span<char> room(buffer_.data() + size_, buffer_.size() - size_);
  std::size_t count = file_ ? file_->read(room) : read_standard_input(room);
  size_ += count;
  return count > 0;
}

}  // namespace surprisal
