// A record of a .jsonl file as a document: a text, a pair, a choice or a labelled text, by the fields that it
// has.
#pragma once

#include <string>

#include "core/json.h"
#include "text/corpus/choice_pattern.h"
#include "text/corpus/corpus.h"
#include "text/corpus/label_reader.h"
#include "text/corpus/pair_reader.h"

namespace surprisal {

class RecordReader {
 public:
  // Throws Error (usage) where the pattern or the verbalizer of choices is none.
  explicit RecordReader(const CorpusOptions& options);

  // Fills in kind, text, parts and label. `where` names the record in errors. Throws Error (data): malformed
  // JSON, a record of no kind that is read, a field that is missing or of a wrong type, a label that means no
  // option; and as PairReader and LabelReader do.
  void read(const std::string& line, const std::string& where, Document& document) const;
  // The same of a line of a text file, which is a pair.
  void read_pair_line(const std::string& line, const std::string& where, Document& document) const {
    pairs_.read_line(line, where, document);
  }

 private:
  struct Record;
  DocumentKind kind_of(Record& record) const;
  [[noreturn]] void refuse(Record& record) const;
  void read_choice(Record& record, Document& document) const;

  std::string field_;
  RecordOptions options_;
  PairReader pairs_;
  LabelReader labels_;
  ChoicePattern pattern_;
  Verbalizer verbalizer_;
};

}  // namespace surprisal
