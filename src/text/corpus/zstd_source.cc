#include <array>

#include <fmt/format.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "text/corpus/byte_source.h"

namespace surprisal {
namespace {

// A frame says how much of its past it may copy from, up to 2 GiB, and the reader must hold that much. This
// is the limit of the zstd program too: what it writes without --ultra or --long above 27 passes.
constexpr int kWindowLog = 27;

class ZstdSource : public ByteSource {
 public:
  explicit ZstdSource(const std::string& path) : path_(path), file_(path), stream_(ZSTD_createDCtx()) {
    if (!stream_ || ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLog))) {
      throw Error(ErrorKind::memory, {.what = "no memory to decompress", .where = path});
    }
  }

  std::size_t read(std::span<char> buffer) override {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    while (output.pos == 0) {
      if (from_.pos == from_.size) refill();
      if (from_.size == 0 && !in_frame_) break;
      decompress(output);
    }
    return output.pos;
  }
  std::uint64_t position() const override { return file_.position(); }

 private:
  void refill() { from_ = {input_.data(), file_.read(input_), 0}; }

  // A file may hold several frames. zstd returns 0 exactly where one ends, all of it given out.
  void decompress(ZSTD_outBuffer& output) {
    bool at_end = from_.size == 0;
    std::size_t given = output.pos;
    std::size_t result = ZSTD_decompressStream(stream_.get(), &output, &from_);
    if (ZSTD_isError(result)) fail(result);
    in_frame_ = result != 0;
    if (at_end && in_frame_ && output.pos == given) {
      throw Error(ErrorKind::data,
                  {.what = "the zstd data end early: the file is truncated", .where = path_});
    }
  }

  [[noreturn]] void fail(std::size_t result) const {
    if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
      throw Error(ErrorKind::memory, {.what = "no memory to decompress", .where = path_});
    }
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
      throw Error(ErrorKind::data,
                  {.what = "the zstd window is too large",
                   .where = path_,
                   .expected = fmt::format("at most {} MiB", (1 << kWindowLog) >> 20),
                   .fix = fmt::format("compress again with --long={} or without", kWindowLog)});
    }
    throw Error(ErrorKind::data,
                {.what = fmt::format("not zstd, or damaged: {}", ZSTD_getErrorName(result)), .where = path_});
  }

  struct Free {
    void operator()(ZSTD_DCtx* stream) const { ZSTD_freeDCtx(stream); }
  };

  std::string path_;
  FileReader file_;
  std::unique_ptr<ZSTD_DCtx, Free> stream_;
  bool in_frame_ = false;
  ZSTD_inBuffer from_{nullptr, 0, 0};  // what is left of input_
  std::array<char, 1 << 16> input_;
};

}  // namespace

std::unique_ptr<ByteSource> open_zstd_source(const std::string& path) {
  return std::make_unique<ZstdSource>(path);
}

}  // namespace surprisal
