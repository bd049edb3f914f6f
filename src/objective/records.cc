#include "objective/records.h"

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/options.h"
#include "objective/registry.h"

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
                     reader_of(DocumentKind::choice, "choices")};
  records.pairs = {.chat = options.conditional.chat,
                   .turns = options.conditional.turns,
                   .tokenise = options.conditional.tokenise,
                   .completion_blank = options.conditional.completion_blank};
  records.pattern = options.cloze.pattern;
  records.verbalizer = options.cloze.verbalizer;
  return records;
}

}  // namespace

RecordOptions records_of(const std::vector<const Mixture*>& mixtures, const ObjectiveOptions& options) {
  RecordOptions records = reading(options);
  for (const Mixture* mixture : mixtures) {
    for (DocumentKind kind : mixture->kinds()) records.add(kind);
  }
  return records;
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
