// The file in which a tokenised corpus lies on disk, in the machine's byte order (it is a cache, made anew
// elsewhere):
//
//   words    u32: for each document its token ids, then the indices of its sentences' (or parts', or words')
//   first tokens, then its labels; padding to a multiple of 8 bytes records  TokenRecord, one a document
//   trailer  magic, version, sizes, what was left out, and hashes of everything above and of itself
//
// The sizes stand at the end, so that the file is written front to back without knowing what will come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "core/content_hash.h"
#include "core/file.h"
#include "text/corpus/corpus_report.h"
#include "text/corpus/record_options.h"

namespace surprisal {

// Raise it when the layout changes: old caches are then made anew.
inline constexpr std::uint32_t kTokenFileVersion = 5;

struct TokenRecord {
  std::uint64_t begin = 0;      // index of its first word
  std::uint64_t bytes = 0;      // of text
  std::uint64_t line = 0;       // where it begins in its file
  std::uint32_t tokens = 0;     // at least 1
  std::uint32_t sentences = 0;  // at least 1; of a pair an even number, of a choice one more than its options
  std::uint32_t labels = 0;     // of a labelled text: 0 or 1, or one for each of `sentences`
  std::uint32_t file = 0;       // index into the list of files
  std::uint32_t unused = 0;     // no byte without a value: records are hashed
  DocumentKind kind = DocumentKind::text;
  std::uint8_t marks = 0;   // of a pair: see PairMark
  std::uint16_t label = 0;  // of a choice: index of the right option
};
static_assert(sizeof(TokenRecord) == 48);

struct TokenTotals {
  std::uint64_t documents = 0, tokens = 0, sentences = 0, bytes = 0;
  void add(const TokenRecord& record) {
    ++documents;
    tokens += record.tokens;
    sentences += record.sentences;
    bytes += record.bytes;
  }
};

struct EncodedDocument {
  std::vector<std::int32_t> tokens{};
  std::vector<std::uint32_t> sentences{};
  std::vector<std::uint32_t> labels{};
  std::uint64_t bytes = 0, line = 0;
  std::uint32_t file = 0;
  DocumentKind kind = DocumentKind::text;
  std::uint8_t marks = 0;
  std::uint16_t label = 0;
  // Its record where its first word has index `begin`.
  TokenRecord record(std::uint64_t begin) const;
};

// Writes a token file document by document, holding about a megabyte. Records wait in a second temporary
// file.
class TokenFileWriter {
 public:
  // Writes to temporary files beside `path`, which the destructor removes; those that killed processes of
  // this machine left there for the same path go first. Throws Error (io), like the others.
  explicit TokenFileWriter(const std::filesystem::path& path);

  void add(const EncodedDocument& document);
  const TokenTotals& totals() const { return totals_; }

  // Completes the file, makes it durable and renames it to `path`. No add() after it.
  void commit(const ContentHash& key, const CorpusSkips& skips);

 private:
  void write(std::string_view bytes);
  void flush_words();
  void append_records();

  std::filesystem::path path_, temporary_, record_path_;
  FileWriter file_, record_file_;
  std::vector<std::uint32_t> words_;  // not written yet
  std::vector<TokenRecord> records_;  // not written yet
  std::uint64_t word_count_ = 0;
  TokenTotals totals_;
  ContentHasher hasher_;
};

// A whole token file in memory, mapped.
struct TokenFile {
  MappedFile file;
  std::span<const std::uint32_t> words;
  std::span<const TokenRecord> records;
  TokenTotals totals;
  CorpusSkips skips;

  // Nothing where there is no file, or one that is not whole, not of this version or not of this key and
  // number of text files: every byte is checked against the hash.
  static std::optional<TokenFile> open(const std::filesystem::path& path, const ContentHash& key,
                                       std::size_t files);
};

}  // namespace surprisal
