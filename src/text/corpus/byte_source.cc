#include "text/corpus/byte_source.h"

#include "core/file.h"

namespace surprisal {
namespace {

class PlainSource : public ByteSource {
 public:
  explicit PlainSource(const std::string& path) : file_(path) {}
  std::size_t read(std::span<char> buffer) override { return file_.read(buffer); }
  std::uint64_t position() const override { return file_.position(); }

 private:
  FileReader file_;
};

}  // namespace

std::unique_ptr<ByteSource> open_byte_source(const std::string& path, Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return open_gzip_source(path);
    case Compression::zstd:
      return open_zstd_source(path);
    case Compression::none:
      break;
  }
  return std::make_unique<PlainSource>(path);
}

}  // namespace surprisal
