#include "text/tokenizer/pattern.h"

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"
#include "text/tokenizer/oniguruma.h"

namespace surprisal {

TextPattern::TextPattern(const Json& json, const std::string& where) {
  const Json& pattern = require(json, "pattern", where);
  std::string place = where + ", pattern";
  if (!pattern.is_object() || pattern.size() != 1 ||
      !(pattern.contains("String") || pattern.contains("Regex"))) {
    throw Error(ErrorKind::data, {.what = "malformed pattern",
                                  .where = where,
                                  .found = pattern.dump(),
                                  .expected = R"({"String": "..."} or {"Regex": "..."})"});
  }
  is_regex_ = pattern.contains("Regex");
  text_ = get_string(pattern, is_regex_ ? "Regex" : "String", place);
  if (is_regex_) scanner_ = find_scanner(text_);
  if (scanner_) return;
  if (is_regex_) {
    regex_ = std::make_unique<const Regex>(pcre2_pattern(text_, place), place);
  } else if (text_.empty()) {
    regex_ = std::make_unique<const Regex>("", place);  // matches everywhere
  }
}

PatternMatches::PatternMatches(const TextPattern& pattern) : pattern_(pattern) {
  if (pattern.regex_) regex_.emplace(*pattern.regex_);
}

void PatternMatches::find(std::string_view text, std::vector<ByteSpan>& matches) {
  matches.clear();
  if (text.empty()) return;
  if (pattern_.scanner_) return pattern_.scanner_(text, 0, matches);
  if (!regex_) {
    const std::string& wanted = pattern_.text_;
    for (std::size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at + wanted.size())) {
      matches.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + wanted.size())});
    }
    return;
  }
  regex_->restart(text);
  while (std::optional<ByteSpan> match = regex_->next()) {
    bool repeats = match->begin == match->end && !matches.empty() && matches.back().end == match->end;
    if (!repeats) matches.push_back(*match);
  }
}

}  // namespace surprisal
