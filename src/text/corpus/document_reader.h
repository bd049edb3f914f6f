// Documents from corpus files one after another, uncut: finding sentences is left to cut_document, so that it
// can run on other threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/corpus.h"
#include "text/corpus/line_reader.h"
#include "text/corpus/record_reader.h"

namespace surprisal {

class DocumentReader {
 public:
  // REQUIRES `files` of list_corpus_files, and options that were read through visit(), which outlive the
  // reader. Throws Error (usage) as RecordReader does.
  DocumentReader(const std::vector<std::string>& files, const CorpusOptions& options);

  // The next document that is not blank, a text without its sentences; false at the end. Throws as
  // read_corpus does.
  bool next(Document& document);

  // Bytes read from disk so far.
  std::uint64_t position() const { return finished_ + (lines_ ? lines_->position() : 0); }

  // What was left out or replaced so far; complete once next() returned false.
  const CorpusSkips& skips() const { return skips_; }

 private:
  enum class End { blank_line, line, file, record, pair };

  bool open_next();
  void close();
  bool next_in_file(Document& document);
  bool next_record(Document& document);
  bool next_pair_line(Document& document);
  void append_line(Document& document);
  bool accept_escapes(std::string& record);

  const std::vector<std::string>& files_;
  RecordReader records_;
  bool reads_text_, reads_pairs_;
  InvalidText invalid_;
  End text_end_, end_;
  std::size_t file_ = 0;  // index of the next file to open
  std::optional<LineReader> lines_;
  std::string line_;
  std::uint64_t finished_ = 0;
  CorpusSkips skips_;
};

// Fills in the sentences of a text; with sentence = "split" joins the lines first.
void cut_document(Document& document, const CorpusOptions& options);

}  // namespace surprisal
