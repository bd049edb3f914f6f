// Text files for tests, plain and compressed.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>
#include <zstd.h>

#include "tests/core/temporary_directory.h"
#include "text/corpus/corpus.h"

namespace surprisal {

inline void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2 failed");
  }
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  deflate(&stream, Z_FINISH);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

inline std::string zstd(std::string_view text) {
  std::string compressed(ZSTD_compressBound(text.size()), '\0');
  std::size_t size = ZSTD_compress(compressed.data(), compressed.size(), text.data(), text.size(), 3);
  if (ZSTD_isError(size)) throw std::runtime_error(ZSTD_getErrorName(size));
  compressed.resize(size);
  return compressed;
}

// Files in a directory that goes when the fixture goes.
class CorpusFiles {
 public:
  // Writes a file, compressed if its name ends in .gz or .zst, and returns its path. Makes its directory.
  std::string add(const std::string& name, std::string_view text) {
    std::string path = directory_ / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    write_bytes(path, name.ends_with(".gz")    ? gzip(text)
                      : name.ends_with(".zst") ? zstd(text)
                                               : std::string(text));
    return path;
  }
  std::string path(const std::string& name) const { return directory_ / name; }

 private:
  TemporaryDirectory directory_;
};

inline std::vector<Document> documents_of(const std::vector<std::string>& files,
                                          const CorpusOptions& options = {}) {
  std::vector<Document> documents;
  read_corpus(files, options, [&](Document&& document) { documents.push_back(std::move(document)); });
  return documents;
}

inline std::vector<std::string> texts_of(const std::vector<std::string>& files,
                                         const CorpusOptions& options = {}) {
  std::vector<std::string> texts;
  for (Document& document : documents_of(files, options)) texts.push_back(std::move(document.text));
  return texts;
}

}  // namespace surprisal
