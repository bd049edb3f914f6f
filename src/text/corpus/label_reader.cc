#include "text/corpus/label_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/options.h"
#include "text/corpus/choice_pattern.h"

namespace surprisal {
namespace {

constexpr std::size_t kMostListed = 20;

bool is_whole(const Json& value) {
  return value.is_number_integer() || value.is_boolean();
}
bool is_below_zero(const Json& value) {
  return value.is_number_integer() && !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
}

// A class by the text that names it: 1 and "1" are the same.
std::optional<std::string> written_name(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (is_whole(value)) return value.dump();
  return std::nullopt;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostListed); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kMostListed ? text + ", ..." : text;
}

bool is_number(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == name.npos;
}

}  // namespace

LabelReader::LabelReader(const LabelOptions& options, const std::string& field)
    : options_(options), field_(field), names_are_numbers_(std::ranges::any_of(options.names, is_number)) {}

bool LabelReader::is_labelled(Json& record) const {
  return find_field(record, first_field()) &&
         (options_.to_predict || find_field(record, options_.label_field)) &&
         (options_.pair_field.empty() || find_field(record, options_.pair_field));
}

bool LabelReader::has_fields(Json& record) const {
  return find_field(record, first_field()) || find_field(record, options_.label_field);
}

std::string LabelReader::fields() const {
  const std::string second = options_.pair_field.empty() ? "" : fmt::format(", \"{}\"", options_.pair_field);
  return fmt::format("fields \"{}\"{} and \"{}\"", first_field(), second, options_.label_field);
}

void LabelReader::read(Json& record, const std::string& where, Document& document) const {
  if (options_.of == LabelOf::word) return read_words(record, where, document);
  const auto add = [&](const std::string& field) {
    document.sentences.push_back(static_cast<std::uint32_t>(document.text.size()));
    document.text += text_field(record, field, where);
  };
  add(field_);
  if (!options_.pair_field.empty()) add(options_.pair_field);
  if (options_.to_predict) return;
  const Json* value = find_field(record, options_.label_field);
  if (!value) {
    throw Error(ErrorKind::data, {.what = fmt::format("the record has no field \"{}\"", options_.label_field),
                                  .where = where,
                                  .found = field_names(record)});
  }
  document.labels.push_back(label(*value, where, document));
}

void LabelReader::read_words(Json& record, const std::string& where, Document& document) const {
  const auto list = [&](const std::string& field) -> const Json& {
    const Json* value = find_field(record, field);
    if (value && value->is_array()) return *value;
    throw Error(ErrorKind::data, {.what = value ? fmt::format("field \"{}\" of the record is no list", field)
                                                : fmt::format("the record has no field \"{}\"", field),
                                  .where = where,
                                  .found = value ? value->type_name() : field_names(record),
                                  .expected = value ? "an array" : ""});
  };
  for (const Json& word : list(options_.words_field)) {
    if (!word.is_string()) {
      throw Error(ErrorKind::data, {.what = "a word of the record is no text",
                                    .where = where,
                                    .found = word.type_name(),
                                    .expected = "a string"});
    }
    if (!document.sentences.empty()) document.text += ' ';
    document.sentences.push_back(static_cast<std::uint32_t>(document.text.size()));
    document.text += word.get_ref<const std::string&>();
  }
  const std::size_t words = document.sentences.size();
  if (words == 0) document.sentences.push_back(0);
  if (options_.to_predict || words == 0) return;
  const Json& labels = list(options_.label_field);
  if (labels.size() != words) {
    throw Error(ErrorKind::data, {.what = "there are not as many labels as words",
                                  .where = where,
                                  .found = fmt::format("{} words and {} labels", words, labels.size())});
  }
  for (const Json& value : labels) {
    document.labels.push_back(is_below_zero(value) ? kNoLabel : label(value, where, document));
  }
}

std::uint32_t LabelReader::label(const Json& value, const std::string& where, Document& document) const {
  if (options_.of != LabelOf::number) return class_of(value, where, document);
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!std::isfinite(static_cast<float>(number))) {
    throw Error(ErrorKind::data, {.what = "the label of a regression is no number",
                                  .where = where,
                                  .found = value.is_number() ? value.dump() : value.type_name(),
                                  .expected = "a number"});
  }
  return std::bit_cast<std::uint32_t>(static_cast<float>(number));
}

std::uint32_t LabelReader::class_of(const Json& value, const std::string& where, Document& document) const {
  const std::optional<std::string> name = written_name(value);
  if (!name) {
    throw Error(ErrorKind::data, {.what = "the label is no class",
                                  .where = where,
                                  .found = value.is_number() ? value.dump() : value.type_name(),
                                  .expected = "a name or a whole number",
                                  .fix = value.is_number() ? "objective regression predicts numbers" : ""});
  }
  if (options_.names.empty()) {
    auto& found = document.class_names;
    const auto at = std::ranges::find(found, *name) - found.begin();
    if (at == std::ssize(found)) found.push_back(*name);
    return static_cast<std::uint32_t>(at);
  }
  const auto& names = options_.names;
  const auto at = std::ranges::find(names, *name);
  if (at != names.end()) return static_cast<std::uint32_t>(at - names.begin());
  // By its number, where numbers are no names.
  if (is_whole(value) && !names_are_numbers_) {
    const auto number = value.is_boolean() ? std::uint64_t{value.get<bool>()} : value.get<std::uint64_t>();
    if (number < names.size() && !is_below_zero(value)) return static_cast<std::uint32_t>(number);
  }
  const std::string nearest = nearest_name(*name, names);
  throw Error(ErrorKind::data, {.what = "the label is no class of the model",
                                .where = where,
                                .found = *name,
                                .expected = "one of " + listed(names),
                                .fix = nearest.empty() ? "" : "did you mean " + nearest + "?"});
}

}  // namespace surprisal
