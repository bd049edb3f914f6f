#include "text/corpus/choice_pattern.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

constexpr const char* kPatternKey = "objective.cloze.pattern";
constexpr const char* kVerbalizerKey = "objective.cloze.verbalizer";

[[noreturn]] void fail(const char* key, std::string what, std::string found, std::string expected = {}) {
  throw Error(
      ErrorKind::usage,
      {.what = std::move(what), .where = key, .found = std::move(found), .expected = std::move(expected)});
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// A label as a verbalizer writes it; nothing where it is no scalar.
std::optional<std::string> label_text(const Json& label) {
  if (label.is_string()) return label.get<std::string>();
  if (label.is_number_integer() || label.is_boolean()) return label.dump();
  return std::nullopt;
}

}  // namespace

Json* find_field(Json& record, const std::string& field) {
  if (!record.is_object()) return nullptr;
  if (auto member = record.find(field); member != record.end()) return &*member;
  for (std::size_t dot = field.find('.'); dot != std::string::npos; dot = field.find('.', dot + 1)) {
    auto outer = record.find(field.substr(0, dot));
    if (outer == record.end()) continue;
    if (Json* inner = find_field(*outer, field.substr(dot + 1))) return inner;
  }
  return nullptr;
}

std::string& text_field(Json& record, const std::string& field, const std::string& where) {
  Json* text = find_field(record, field);
  if (text == nullptr) {
    throw Error(ErrorKind::data, {.what = fmt::format("the record has no field \"{}\"", field),
                                  .where = where,
                                  .found = field_names(record)});
  }
  if (!text->is_string()) {
    throw Error(ErrorKind::data, {.what = fmt::format("field \"{}\" of the record is no text", field),
                                  .where = where,
                                  .found = text->type_name(),
                                  .expected = "a string"});
  }
  return text->get_ref<std::string&>();
}

std::string field_names(const Json& record) {
  std::string names;
  for (const auto& member : record.items()) {
    if (names.size() > 100) return names + ", ...";
    names += (names.empty() ? "" : ", ") + member.key();
  }
  return names.empty() ? "none" : names;
}

ChoicePattern::ChoicePattern(const std::string& pattern, const std::string& field) {
  if (pattern.empty()) {
    pieces_.push_back({.field = true, .text = field});
    return;
  }
  parse(pattern);
  if (std::none_of(pieces_.begin(), pieces_.end(), [](const Piece& piece) { return piece.field; })) {
    fail(kPatternKey, "the pattern has no field of the record", pattern, "such as \"{text} It was [MASK].\"");
  }
}

void ChoicePattern::parse(const std::string& pattern) {
  pieces_.emplace_back();
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    const char character = pattern[at];
    if (character != '{' && character != '}') {
      pieces_.back().text += character;
    } else if (at + 1 < pattern.size() && pattern[at + 1] == character) {
      pieces_.back().text += pattern[at++];
    } else {
      const std::size_t end = character == '{' ? pattern.find_first_of("{}", at + 1) : std::string::npos;
      if (end == std::string::npos || pattern[end] == '{' || end == at + 1) {
        fail(kPatternKey, "a brace of the pattern encloses no field", pattern.substr(at),
             "\"{field}\"; \"{{\" and \"}}\" are braces of the text");
      }
      pieces_.push_back({.field = true, .text = pattern.substr(at + 1, end - at - 1)});
      pieces_.emplace_back();
      at = end;
    }
  }
}

std::string ChoicePattern::fill(Json& record, const std::string& where) const {
  std::string text;
  for (const Piece& piece : pieces_) {
    text += piece.field ? text_field(record, piece.text, where) : piece.text;
  }
  return text;
}

Verbalizer::Verbalizer(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const std::size_t sign = line.find('=');
    if (sign == std::string::npos) {
      fail(kVerbalizerKey, "an entry of the verbalizer has no '='", line, "\"LABEL = OPTION\"");
    }
    std::string label(without_blanks(std::string_view(line).substr(0, sign)));
    std::string option = line.substr(sign + 1 + (line.substr(sign + 1, 1) == " " ? 1 : 0));
    if (label.empty()) fail(kVerbalizerKey, "an entry of the verbalizer has no label", line);
    if (without_blanks(option).empty())
      fail(kVerbalizerKey, "an entry of the verbalizer has no option", line);
    if (std::count(labels_.begin(), labels_.end(), label) > 0) {
      fail(kVerbalizerKey, "the verbalizer has a label twice", label);
    }
    if (std::count(options_.begin(), options_.end(), option) > 0) {
      fail(kVerbalizerKey, "the verbalizer has an option twice", option);
    }
    labels_.push_back(std::move(label));
    options_.push_back(std::move(option));
  }
  if (labels_.size() == 1)
    fail(kVerbalizerKey, "the verbalizer has one option", lines.front(), "two or more");
}

std::uint16_t Verbalizer::index(const Json& label, const std::string& where) const {
  const std::optional<std::string> text = label_text(label);
  auto found = text ? std::find(labels_.begin(), labels_.end(), *text) : labels_.end();
  if (found != labels_.end()) return static_cast<std::uint16_t>(found - labels_.begin());
  throw Error(ErrorKind::data, {.what = "the verbalizer has no such label",
                                .where = where,
                                .found = text ? *text : label.type_name(),
                                .expected = fmt::format("one of {}", fmt::join(labels_, ", "))});
}

}  // namespace surprisal
