// A tokenised corpus: the documents of some files as token ids, on disk under a hash of everything that
// decided them, memory-mapped. Knows nothing of objectives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "text/corpus/corpus.h"

namespace surprisal {

struct TokenDocument {
  std::span<const std::int32_t> tokens;  // x_1 .. x_n, no special tokens of the template; n >= 1
  // Of a text: index of each sentence's first token; ascending, the first is 0; >= 1. Of a pair: where each
  // of its parts begins, context and completion by turns, an even number of them: what is scored are the
  // completions. The first context may be empty, the others are not, nor is a completion. Of a choice: where
  // the context, which holds one mask token, and each option begin; no option is empty. Of a labelled text:
  // where it and, if there is one, its second text begin, either of which may be empty; or where each of its
  // words does, one without a token where the next does.
  std::span<const std::uint32_t> sentences;
  // Of a labelled text: its class, or the bits of its number as a float; or a class or kNoLabel for each
  // word. Empty where the record brought none.
  std::span<const std::uint32_t> labels;
  std::uint64_t bytes = 0;  // UTF-8 bytes of the document's text
  DocumentKind kind = DocumentKind::text;
  std::uint8_t marks = 0;   // of a pair: see PairMark
  std::uint16_t label = 0;  // of a choice: index of the right option

  bool has(std::uint8_t mark) const { return (marks & mark) != 0; }
  // The tokens of part `index` of a pair or choice: 0 is the prompt or the context.
  std::span<const std::int32_t> part(std::size_t index) const {
    const std::size_t end = index + 1 < sentences.size() ? sentences[index + 1] : tokens.size();
    return tokens.subspan(sentences[index], end - sentences[index]);
  }
};

class TokenCorpus {
 public:
  // Called every fraction of a second while files are hashed (done is 0) and tokenised, with bytes of input
  // done and in all, as they lie on disk. What it throws ends the work, leaves no trace and comes out of
  // open().
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  // Reads the files, directories and patterns of `written`, tokenises on all threads and keeps the result in
  // `cache_directory` (made if missing), or maps what an earlier call left there. An empty `cache_directory`
  // keeps it in memory; otherwise memory is bounded, however large the files. Documents without a token are
  // left out. A cache that was half written is never used: it is renamed into place when whole, and every
  // byte is checked. Throws as read_corpus does, and Error (data) where no document is left, a file changed
  // meanwhile, or a pair or choice has a part without a token or not one mask.
  static TokenCorpus open(const std::vector<std::string>& written, const CorpusOptions& options,
                          const Tokenizer& tokenizer, const std::filesystem::path& cache_directory,
                          const Progress& progress = {});

  // A corpus in memory, for tests and for text that is not in files. `sentences` may be empty: one sentence.
  struct Ids {
    std::vector<std::int32_t> tokens;
    std::vector<std::uint32_t> sentences;
    std::uint64_t bytes = 0;
    DocumentKind kind = DocumentKind::text;
    std::uint16_t label = 0;
    std::uint8_t marks = 0;
    std::vector<std::uint32_t> labels = {};
  };
  static TokenCorpus from_ids(const std::vector<Ids>& documents);

  // The first `count` documents of each kind alone, or all where there are no more; for a try.
  TokenCorpus first(std::uint64_t count) const;

  // The documents of one kind alone, in their order; there may be none. Copies nothing.
  TokenCorpus of_kind(DocumentKind kind) const;
  // Of the first document, and so of all where it has one kind.
  DocumentKind kind() const;

  std::uint64_t documents() const;
  std::uint64_t documents(DocumentKind kind) const;
  TokenDocument document(std::uint64_t index) const;
  std::string origin(std::uint64_t index) const;  // "corpus.txt:123", for messages

  std::uint64_t tokens() const;     // in all
  std::uint64_t sentences() const;  // in all
  std::uint64_t bytes() const;      // of text, in all
  std::string fingerprint() const;  // of content, cutting and tokenizer
  CorpusReport report() const;      // what was read, now or when the cache was made

 private:
  struct Storage;
  TokenCorpus view(std::shared_ptr<Storage> part, const std::string& key) const;
  std::shared_ptr<const Storage> storage_;
};

}  // namespace surprisal
