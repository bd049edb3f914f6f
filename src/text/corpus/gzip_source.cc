#include <algorithm>
#include <array>
#include <limits>

#include <zlib.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "text/corpus/byte_source.h"

namespace surprisal {
namespace {

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
  FileReader file_;
  z_stream stream_{};
  bool in_member_ = false, padding_ = false;
  std::array<char, 1 << 16> input_;
};

}  // namespace

std::unique_ptr<ByteSource> open_gzip_source(const std::string& path) {
  return std::make_unique<GzipSource>(path);
}

}  // namespace surprisal
