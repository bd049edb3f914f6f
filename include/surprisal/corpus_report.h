// What was read of a corpus, and what was not taken as it stands.
#pragma once

#include <cstdint>

namespace surprisal {

struct CorpusSkips {
  std::uint64_t replaced = 0;         // sequences that are no UTF-8, and lone surrogates of JSON, made U+FFFD
  std::uint64_t skipped_lines = 0;    // of .txt, left out for them
  std::uint64_t skipped_records = 0;  // of .jsonl, likewise
  std::uint64_t blank_records = 0;    // of .jsonl, whose text is blank
  std::uint64_t without_token = 0;    // documents that the tokenizer makes no token of
  friend bool operator==(const CorpusSkips&, const CorpusSkips&) = default;
};

struct CorpusReport {
  std::uint64_t files = 0;
  std::uint64_t other_files = 0;  // of directories and patterns, not read: their names have no known ending
  std::uint64_t repeated_files = 0;  // among `files`: given by name once more, and read once more
  std::uint64_t documents = 0, sentences = 0, tokens = 0;
  std::uint64_t bytes = 0;                             // of text
  std::uint64_t pairs = 0, choices = 0, labelled = 0;  // of the documents; the others are texts
  CorpusSkips skips{};

  double bytes_per_token() const;  // 0 where there is no token
};

}  // namespace surprisal
