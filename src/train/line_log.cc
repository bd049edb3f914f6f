#include "train/line_log.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace surprisal {
namespace {

Error failure(const std::filesystem::path& path, int cause) {
  return Error(ErrorKind::io,
               {.what = "cannot write: " + std::generic_category().message(cause), .where = path.string()});
}

}  // namespace

LineLog::LineLog(const std::filesystem::path& path)
    : path_(path), descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw failure(path, errno);
  size_ = lseek(descriptor_, 0, SEEK_END);
}

LineLog::~LineLog() {
  flush();
  close(descriptor_);
}

std::optional<Error> LineLog::append(const std::string& line) {
  waiting_ += line;
  waiting_ += '\n';
  std::optional<Error> error = flush();
  const bool first = error && !failing_;
  failing_ = error.has_value();
  return first ? error : std::nullopt;
}

void LineLog::finish() {
  if (std::optional<Error> error = flush()) throw Error(*error);
}

std::optional<Error> LineLog::flush() {
  std::size_t done = 0;
  while (done < waiting_.size()) {
    // Half a line must not stay in front of the next.
    if (torn_ && ftruncate(descriptor_, size_) != 0) return failure(path_, errno);
    torn_ = false;
    const ssize_t count = write(descriptor_, waiting_.data() + done, waiting_.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int cause = errno;
      torn_ = done > 0 && ftruncate(descriptor_, size_) != 0;
      return failure(path_, cause);
    }
    done += static_cast<std::size_t>(count);
  }
  size_ += static_cast<std::int64_t>(done);
  waiting_.clear();
  return std::nullopt;
}

}  // namespace surprisal
