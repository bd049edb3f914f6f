#include "fuzz/compression.h"

#include <memory>
#include <stdexcept>

#include <zlib.h>
#include <zstd.h>

namespace surprisal::fuzz {
namespace {

constexpr int kGzip = 16 + MAX_WBITS;

Bytef* bytes(const char* data) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(data));
}

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = bytes(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = bytes(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int end = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (end != Z_STREAM_END) throw std::runtime_error("deflate");
  return result;
}

std::string gunzip(std::string_view data, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzip) != Z_OK) throw std::bad_alloc();
  std::string result(most, '\0');
  stream.next_in = bytes(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = bytes(result.data());
  stream.avail_out = static_cast<uInt>(most);
  inflate(&stream, Z_SYNC_FLUSH);
  result.resize(stream.total_out);
  inflateEnd(&stream);
  return result;
}

std::string zstd(std::string_view text) {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::string result(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size =
      ZSTD_compress2(context.get(), result.data(), result.size(), text.data(), text.size());
  if (ZSTD_isError(size)) throw std::runtime_error("ZSTD_compress2");
  result.resize(size);
  return result;
}

std::string unzstd(std::string_view data, std::size_t most) {
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  std::string result(most, '\0');
  ZSTD_outBuffer to{result.data(), result.size(), 0};
  ZSTD_inBuffer from{data.data(), data.size(), 0};
  while (to.pos < to.size && from.pos < from.size) {
    const std::size_t before = to.pos + from.pos;
    if (ZSTD_isError(ZSTD_decompressStream(context.get(), &to, &from)) || to.pos + from.pos == before) break;
  }
  result.resize(to.pos);
  return result;
}

}  // namespace surprisal::fuzz
