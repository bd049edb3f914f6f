#include "text/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& what, int cause) {
  throw Error(ErrorKind::io, {.what = what + ": " + std::generic_category().message(cause), .where = path});
}

class PlainSource : public ByteSource {
 public:
  explicit PlainSource(const std::string& path)
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail(path, "cannot open", errno);
    struct stat status;
    bool known = fstat(descriptor_, &status) == 0;
    if (known && !S_ISDIR(status.st_mode)) return;
    int cause = known ? EISDIR : errno;
    close(descriptor_);
    fail(path, "cannot read", cause);
  }
  ~PlainSource() override { close(descriptor_); }
  PlainSource(const PlainSource&) = delete;
  PlainSource& operator=(const PlainSource&) = delete;

  std::size_t read(std::span<char> buffer) override {
    while (true) {
      ssize_t count = ::read(descriptor_, buffer.data(), buffer.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(path_, "cannot read", errno);
      position_ += static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
  }
  std::uint64_t position() const override { return position_; }

 private:
  std::string path_;
  int descriptor_;
  std::uint64_t position_ = 0;
};

// zlib's own gzread takes a truncated file for a short one until it is closed, and a file that is not gzip
// for a plain one; inflate tells both.
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(const std::string& path) : path_(path), file_(path) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      throw Error(ErrorKind::memory, {.what = "no memory to decompress", .where = path});
    }
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  std::size_t read(std::span<char> buffer) override {
    std::size_t wanted = std::min<std::size_t>(buffer.size(), std::numeric_limits<uInt>::max());
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(wanted);
    while (stream_.avail_out == wanted) {
      bool input = have_input();
      if (!input && !in_member_) break;
      inflate_some(input);
    }
    return wanted - stream_.avail_out;
  }
  std::uint64_t position() const override { return file_.position(); }

 private:
  // False at the end of the file. Zeros after a member are the padding of tapes and disk images.
  bool have_input() {
    while (true) {
      while (padding_ && stream_.avail_in > 0 && *stream_.next_in == 0) {
        ++stream_.next_in;
        --stream_.avail_in;
      }
      if (stream_.avail_in > 0) return true;
      std::size_t count = file_.read(input_);
      if (count == 0) return false;
      stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
      stream_.avail_in = static_cast<uInt>(count);
    }
  }

  void inflate_some(bool input) {
    padding_ = false;
    in_member_ = true;
    int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {  // a gzip file may hold several members
      inflateReset(&stream_);
      in_member_ = false;
      padding_ = true;
    } else if (result == Z_BUF_ERROR && !input) {
      throw Error(ErrorKind::data,
                  {.what = "the gzip data end early: the file is truncated", .where = path_});
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      std::string cause = stream_.msg ? stream_.msg : "error " + std::to_string(result);
      throw Error(ErrorKind::data, {.what = "not gzip, or damaged: " + cause, .where = path_});
    }
  }

  std::string path_;
  PlainSource file_;
  z_stream stream_{};
  bool in_member_ = false, padding_ = false;
  std::array<char, 1 << 16> input_;
};

}  // namespace

std::unique_ptr<ByteSource> open_byte_source(const std::string& path, bool gzip) {
  if (gzip) return std::make_unique<GzipSource>(path);
  return std::make_unique<PlainSource>(path);
}

}  // namespace surprisal
