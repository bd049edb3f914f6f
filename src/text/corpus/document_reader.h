// Documents from corpus files one after another, uncut: finding sentences is left to cut_document, so that it
// can run on other threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "text/corpus/corpus.h"
#include "text/corpus/line_reader.h"

namespace surprisal {

enum class CorpusFileKind : std::uint8_t { text, text_gzip, jsonl, jsonl_gzip };

// By the name's end, in any case. Throws Error (data) for another one.
CorpusFileKind corpus_file_kind(const std::string& path);

// Throws Error where a file's kind is not known (data) or where it is missing, a directory or empty (io), and
// where there is no file at all (usage). Returns the sum of the sizes.
std::uint64_t check_corpus_files(const std::vector<std::string>& files);

class DocumentReader {
 public:
  // REQUIRES files that check_corpus_files passed, and options that were read through visit(), which outlive
  // the reader.
  DocumentReader(const std::vector<std::string>& files, const CorpusOptions& options);

  // The next document that is not blank, without its sentences; false at the end. Throws as read_corpus does.
  bool next(Document& document);

  // Bytes read from disk so far.
  std::uint64_t position() const { return finished_ + (lines_ ? lines_->position() : 0); }

 private:
  enum class End { blank_line, line, file, record };

  bool open_next();
  bool next_in_file(Document& document);
  bool next_record(Document& document);
  void append_line(Document& document);

  const std::vector<std::string>& files_;
  End text_end_, end_;
  std::size_t file_ = 0;  // index of the next file to open
  std::optional<LineReader> lines_;
  std::string line_;
  std::uint64_t finished_ = 0;
};

// Fills in the sentences; with sentence = "split" joins the lines first.
void cut_document(Document& document, const CorpusOptions& options);

}  // namespace surprisal
