#include "text/corpus/corpus.h"

#include <utility>

#include "text/corpus/corpus_files.h"
#include "text/corpus/document_reader.h"

namespace surprisal {

void CorpusOptions::visit(OptionVisitor& visitor) {
  visitor.field("document", document, {"blank_line", "line", "file"},
                "what ends a document in .txt files; a JSONL record is always one");
  visitor.field(
      "sentence", sentence, {"both", "line", "split"},
      "what ends a sentence: newlines (line), punctuation too (both), punctuation after lines are joined "
      "(split)");
  visitor.field("field", field, {},
                "the field of a JSONL record that holds the text; \"a.b\": field b of the object in field a");
  visitor.field("invalid_utf8", invalid_utf8, {"error", "replace", "skip"},
                "bytes that are no UTF-8: an error, replaced by U+FFFD, or their line or record left out");
}

CorpusReport read_corpus(const std::vector<std::string>& written, const CorpusOptions& options,
                         const std::function<void(Document&&)>& sink) {
  CorpusFileList list = list_corpus_files(written);
  CorpusReport report{
      .files = list.files.size(), .other_files = list.other_files, .repeated_files = list.repeated_files};
  DocumentReader reader(list.files, options);
  for (Document document; reader.next(document);) {
    cut_document(document, options);
    ++report.documents;
    report.pairs += document.kind == DocumentKind::pair;
    report.choices += document.kind == DocumentKind::choice;
    report.labelled += document.kind == DocumentKind::labelled;
    report.sentences += document.sentences.size();
    report.bytes += document.text.size();
    sink(std::move(document));
  }
  report.skips = reader.skips();
  return report;
}

}  // namespace surprisal
