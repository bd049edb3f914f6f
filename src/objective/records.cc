#include "objective/records.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "core/options.h"
#include "objective/registry.h"
#include "objective/specification.h"
#include "text/corpus/class_names.h"

namespace surprisal {
namespace {

// "objectives mlm, causal read texts".
std::string reader_of(DocumentKind kind, const char* plural) {
  std::vector<std::string_view> names;
  for (const ObjectiveEntry& entry : objective_table()) {
    const bool variant = entry.traits.name.find(':') != std::string_view::npos;
    if (entry.traits.reads == kind && !variant) names.push_back(entry.traits.name);
  }
  if (names.empty()) return {};
  return fmt::format("objective{} {} read{} {}", names.size() == 1 ? "" : "s", fmt::join(names, ", "),
                     names.size() == 1 ? "s" : "", plural);
}

// How they are read, not which.
RecordOptions reading(const ObjectiveOptions& options) {
  RecordOptions records;
  records.read = {};
  records.readers = {reader_of(DocumentKind::text, "texts"), reader_of(DocumentKind::pair, "pairs"),
                     reader_of(DocumentKind::choice, "choices"),
                     reader_of(DocumentKind::labelled, "labelled texts")};
  records.pairs = {.chat = options.conditional.chat,
                   .turns = options.conditional.turns,
                   .tokenise = options.conditional.tokenise,
                   .completion_blank = options.conditional.completion_blank};
  records.pattern = options.cloze.pattern;
  records.verbalizer = options.cloze.verbalizer;
  return records;
}

// What the specifications train as a classifier.
Classifier classifier_of(const std::vector<std::string>& specifications) {
  Classifier found = Classifier::none;
  for (const std::string& specification : specifications) {
    const ObjectiveEntry* entry =
        find_objective(parse_specification(specification).front().terms.front().name);
    const Classifier other = entry ? entry->traits.classifier : Classifier::none;
    if (other == Classifier::none || other == found) continue;
    if (found != Classifier::none) {
      throw Error(ErrorKind::usage, {.what = "one model has one classifier",
                                     .found = fmt::format("{}", fmt::join(specifications, ", "))});
    }
    found = other;
  }
  return found;
}

LabelOptions label_options(Classifier classifier, const ObjectiveOptions& options) {
  const auto read = [](LabelOf of, const LabelledOptions& own) {
    return LabelOptions{.of = of,
                        .label_field = own.label_field,
                        .pair_field = own.pair_field,
                        .words_field = own.words_field,
                        .names = own.labels};
  };
  switch (classifier) {
    case Classifier::text:
      return read(LabelOf::text, options.classification);
    case Classifier::number:
      return read(LabelOf::number, options.regression);
    case Classifier::word:
      return read(LabelOf::word, options.token_classification);
    case Classifier::none:
      break;
  }
  return {};
}

}  // namespace

RecordOptions records_of(const std::vector<const Mixture*>& mixtures, const ObjectiveOptions& options) {
  RecordOptions records = reading(options);
  std::vector<std::string> specifications;
  for (const Mixture* mixture : mixtures) {
    specifications.push_back(mixture->specification());
    for (DocumentKind kind : mixture->kinds()) records.add(kind);
  }
  records.labels = label_options(classifier_of(specifications), options);
  return records;
}

void name_classes(const std::vector<std::string>& specifications, const std::vector<std::string>& known,
                  const std::vector<std::string>& files, CorpusOptions corpus, ObjectiveOptions& options) {
  const Classifier classifier = classifier_of(specifications);
  if (classifier == Classifier::none || classifier == Classifier::number) return;
  std::vector<std::string>& names =
      (classifier == Classifier::text ? options.classification : options.token_classification).labels;
  if (!names.empty()) return;
  if (!known.empty()) {
    names = known;
    return;
  }
  corpus.records = reading(options);
  corpus.records.add(DocumentKind::labelled);
  corpus.records.labels = label_options(classifier, options);
  names = find_class_names(files, corpus);
}

RecordOptions pair_records(const ObjectiveOptions& options) {
  RecordOptions records = reading(options);
  records.add(DocumentKind::pair);
  return records;
}

ObjectiveOptions read_objective_keys(const std::vector<Override>& keys) {
  ObjectiveOptions options;
  read_options("", keys, [&](OptionVisitor& visitor) {
    visitor.table("objective", "", [&](OptionVisitor& table) { options.visit_tables(table); });
  });
  return options;
}

}  // namespace surprisal
