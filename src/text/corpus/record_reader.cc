#include "text/corpus/record_reader.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/json_record.h"

namespace surprisal {
namespace {

constexpr const char *kOptions = "options", *kLabel = "label";
constexpr std::int64_t kMostOptions = 1 << 15;  // a record of a token file holds the label in 16 bits

// Those of a record that is to be one.
std::string fields_of(DocumentKind kind, const std::string& field, bool has_options,
                      const std::string& labelled) {
  switch (kind) {
    case DocumentKind::text:
      return fmt::format("a text (field \"{}\")", field);
    case DocumentKind::pair:
      return fmt::format("a pair ({})", kPairFields);
    case DocumentKind::choice:
      return has_options ? "a choice (field \"label\")" : "a choice (fields \"options\" and \"label\")";
    case DocumentKind::labelled:
      return fmt::format("a labelled text ({})", labelled);
  }
  return {};
}

// Text of one part after the other, and where each begins.
void append_part(std::string_view part, Document& document) {
  document.sentences.push_back(static_cast<std::uint32_t>(document.text.size()));
  document.text += part;
}

}  // namespace

const char* name_of(DocumentKind kind) {
  switch (kind) {
    case DocumentKind::text:
      return "a text";
    case DocumentKind::pair:
      return "a pair";
    case DocumentKind::choice:
      return "a choice";
    case DocumentKind::labelled:
      return "a labelled text";
  }
  return "";
}

struct RecordReader::Record {
  Json json;
  const std::string& where;
  bool has(const char* name) const { return json.contains(name); }
  const Json& field(const char* name) const {
    if (auto member = json.find(name); member != json.end()) return *member;
    throw Error(ErrorKind::data, {.what = fmt::format("the record has no field \"{}\"", name),
                                  .where = where,
                                  .found = field_names(json)});
  }
};

RecordReader::RecordReader(const CorpusOptions& options)
    : field_(options.field),
      options_(options.records),
      pairs_(options_),
      labels_(options_.labels, field_),
      pattern_(options_.pattern, field_),
      verbalizer_(options_.verbalizer) {}

void RecordReader::read(const std::string& line, const std::string& where, Document& document) const {
  Record record{parse_record(line, where), where};
  if (!record.json.is_object()) {
    throw Error(ErrorKind::data, {.what = "the record is no JSON object",
                                  .where = where,
                                  .expected = fmt::format("an object with a field \"{}\"", field_)});
  }
  document.kind = kind_of(record);
  switch (document.kind) {
    case DocumentKind::text:
      document.text = std::move(text_field(record.json, field_, where));
      break;
    case DocumentKind::pair:
      pairs_.read(record.json, where, document);
      break;
    case DocumentKind::choice:
      read_choice(record, document);
      break;
    case DocumentKind::labelled:
      labels_.read(record.json, where, document);
      break;
  }
}

// Of the kinds that are read the first, from the one that asks for most, that has its fields here; or, where
// there is none, that has one of them, so that the error names what is missing.
DocumentKind RecordReader::kind_of(Record& record) const {
  const bool text = find_field(record.json, field_) != nullptr;
  const bool options = record.has(kOptions) || !verbalizer_.empty();
  auto reads = [&](DocumentKind kind) { return options_.reads(kind); };
  if (reads(DocumentKind::choice) && options && record.has(kLabel)) return DocumentKind::choice;
  if (reads(DocumentKind::pair) && pairs_.is_pair(record.json)) return DocumentKind::pair;
  if (reads(DocumentKind::labelled) && labels_.is_labelled(record.json)) return DocumentKind::labelled;
  if (reads(DocumentKind::text) && text) return DocumentKind::text;
  if (reads(DocumentKind::choice) && (record.has(kOptions) || record.has(kLabel)))
    return DocumentKind::choice;
  if (reads(DocumentKind::pair) && pairs_.has_pair_fields(record.json)) return DocumentKind::pair;
  if (reads(DocumentKind::labelled) && labels_.has_fields(record.json)) return DocumentKind::labelled;
  refuse(record);
}

void RecordReader::refuse(Record& record) const {
  DocumentKind kind = DocumentKind::text;  // that the record is, though none is read
  bool known = find_field(record.json, field_) != nullptr;
  if (pairs_.is_pair(record.json)) std::tie(kind, known) = std::pair(DocumentKind::pair, true);
  if (record.has(kOptions) && record.has(kLabel))
    std::tie(kind, known) = std::pair(DocumentKind::choice, true);
  ErrorParts parts{.where = record.where, .found = field_names(record.json)};
  for (DocumentKind read : kEveryKind) {
    if (!options_.reads(read)) continue;
    parts.expected += (parts.expected.empty() ? "" : " or ") +
                      fields_of(read, field_, !verbalizer_.empty(), labels_.fields());
  }
  if (known) {
    parts.what = fmt::format("the record is {}, and nothing here reads one", name_of(kind));
    if (const std::string& reader = options_.reader(kind); !reader.empty()) parts.fix = reader;
  } else if (options_.reads(DocumentKind::text)) {
    parts.what = fmt::format("the record has no field \"{}\"", field_);
    parts.fix = "data.field names the field that holds the text";
    const bool alone = std::ranges::none_of(
        kEveryKind, [&](DocumentKind other) { return other != DocumentKind::text && options_.reads(other); });
    if (alone) parts.expected.clear();
  } else {
    parts.what = "the record is of no kind that is read";
  }
  throw Error(ErrorKind::data, std::move(parts));
}

void RecordReader::read_choice(Record& record, Document& document) const {
  append_part(pattern_.fill(record.json, record.where), document);
  const Json& label = record.field(kLabel);
  if (!record.has(kOptions) && !verbalizer_.empty()) {
    for (const std::string& option : verbalizer_.options()) append_part(option, document);
    document.label = verbalizer_.index(label, record.where);
    return;
  }
  const Json& options = record.field(kOptions);
  auto fail = [&](std::string what, std::string found, std::string expected) {
    throw Error(ErrorKind::data, {.what = std::move(what),
                                  .where = record.where,
                                  .found = std::move(found),
                                  .expected = std::move(expected)});
  };
  if (!options.is_array())
    fail("field \"options\" of the record is no list", options.type_name(), "an array of texts");
  const auto count = static_cast<std::int64_t>(options.size());
  if (count < 2 || count > kMostOptions) {
    fail("the choice has an impossible number of options", fmt::format("{}", count),
         fmt::format("2 to {}", kMostOptions));
  }
  for (const Json& option : options) {
    if (!option.is_string()) fail("an option of the record is no text", option.type_name(), "a string");
    append_part(option.get_ref<const std::string&>(), document);
  }
  document.label = static_cast<std::uint16_t>(get_int(record.json, kLabel, record.where, 0, count - 1));
}

}  // namespace surprisal
