// Reading a corpus file of every kind, by every rule.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "fuzz/target.h"
#include "text/corpus/document_reader.h"
#include "text/unicode/utf8.h"

namespace surprisal::fuzz {

// How labelled texts are read: two with one class of the model, one of which the number is to be told, words,
// or a text whose classes have no names yet.
inline LabelOptions label_options(int choice) {
  switch (choice) {
    case 0:
      return {.pair_field = "second", .names = {"no", "yes", "3"}};
    case 1:
      return {.of = LabelOf::number, .label_field = "a.b"};
    case 2:
      return {.of = LabelOf::word, .label_field = "tags", .words_field = "tokens", .names = {"O", "B-X"}};
    default:
      return {};
  }
}

// A byte that chooses among the options of [data].
inline CorpusOptions corpus_options(std::uint8_t choice) {
  constexpr const char* kDocument[] = {"blank_line", "line", "file"};
  constexpr const char* kSentence[] = {"both", "line", "split"};
  constexpr const char* kInvalid[] = {"error", "replace", "skip"};
  RecordOptions records;
  if (choice & 32) records.read = {true, true, true};
  if ((choice & 31) == 31) records.read = {false, true, false};  // lines of a text file are pairs
  if ((choice & 60) == 44) {                                     // beside texts, labelled ones
    records.read = {true, false, false, true};
    records.labels = label_options(choice & 3);
  }
  records.prompts_alone = (choice & 63) == 63;
  if ((choice & 33) == 33) {
    records.pattern = "{text} {{x}} {a.b}";
    records.verbalizer = {"0 = no", "yes = yes"};
  }
  return {.document = kDocument[choice % 3],
          .sentence = kSentence[choice / 3 % 3],
          .field = choice & 128 ? "data.text" : "text",
          .invalid_utf8 = kInvalid[choice / 9 % 3],
          .records = std::move(records)};
}

inline void check_labels(const Document& document, const LabelOptions& options) {
  const bool words = options.of == LabelOf::word;
  const bool none = words && document.text.empty() && document.labels.empty();  // without a word
  expect(none || document.labels.size() == (words ? document.sentences.size() : 1),
         "a text without its labels");
  const auto& names = options.names.empty() ? document.class_names : options.names;
  for (std::uint32_t label : document.labels) {
    if (options.of == LabelOf::number) {
      expect(std::isfinite(std::bit_cast<float>(label)), "a label that is no number");
    } else {
      expect(label < names.size() || (words && label == kNoLabel), "a label that is no class");
    }
  }
}

inline void check_document(const Document& document, const CorpusOptions& options) {
  expect(find_invalid_utf8(document.text) == std::string::npos, "a document that is no UTF-8");
  expect(document.line > 0 && !document.sentences.empty() && document.sentences.front() == 0,
         "a document without a sentence");
  const bool parts = document.kind != DocumentKind::text;  // which may be empty
  for (std::size_t i = 1; i < document.sentences.size(); ++i) {
    expect(document.sentences[i - 1] + (parts ? 0 : 1) <= document.sentences[i] &&
               document.sentences[i] + (parts ? 0 : 1) <= document.text.size(),
           "sentences out of order");
  }
  const bool chat = (document.marks & PairMark::chat) != 0;
  expect(document.turns.size() == (chat ? document.sentences.size() : 0), "a chat without its turns");
  if (document.kind == DocumentKind::pair && !chat)
    expect(document.sentences.size() == 2, "a pair of other than two parts");
  if (document.kind == DocumentKind::labelled) check_labels(document, options.records.labels);
  if (document.kind != DocumentKind::choice) return;
  expect(document.sentences.size() > 2 && std::size_t{document.label} + 1 < document.sentences.size(),
         "a label that is no option");
}

inline void check_corpus(const std::filesystem::path& file, const CorpusOptions& options) {
  const std::vector<std::string> files = {file.string()};
  DocumentReader reader(files, options);
  for (Document document; reader.next(document);) {
    cut_document(document, options);
    check_document(document, options);
  }
}

}  // namespace surprisal::fuzz
