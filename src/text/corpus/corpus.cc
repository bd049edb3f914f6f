#include "text/corpus/corpus.h"

#include <utility>

#include "text/corpus/document_reader.h"

namespace surprisal {

void CorpusOptions::visit(OptionVisitor& visitor) {
  visitor.field("document", document, {"blank_line", "line", "file"},
                "what ends a document in .txt files; a JSONL record is always one");
  visitor.field(
      "sentence", sentence, {"both", "line", "split"},
      "what ends a sentence: newlines (line), punctuation too (both), punctuation after lines are joined "
      "(split)");
}

void read_corpus(const std::vector<std::string>& files, const CorpusOptions& options,
                 const std::function<void(Document&&)>& sink) {
  check_corpus_files(files);
  DocumentReader reader(files, options);
  for (Document document; reader.next(document);) {
    cut_document(document, options);
    sink(std::move(document));
  }
}

}  // namespace surprisal
