#include "text/tokenizer/character_pre_tokenizers.h"

#include <utility>
#include <vector>

#include <fmt/format.h>
#include <utf8proc.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"
#include "text/tokenizer/word_character.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

bool is_numeric(char32_t c, char32_t) {
  static const CodePointSet newer(new_numerics());
  utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
         category == UTF8PROC_CATEGORY_NO || newer.contains(c);
}

bool is_punctuation(char32_t c, char32_t) {
  static const CodePointSet set(bert_punctuation());
  return set.contains(c);
}

bool is_white_space(char32_t c, char32_t) {
  return is_space(static_cast<std::int32_t>(c));
}

bool is_delimiter(char32_t c, char32_t delimiter) {
  return c == delimiter;
}

}  // namespace

void CharacterSplit::pre_tokenize(Words& words) const {
  std::vector<ByteSpan> matches, spans;
  for (ByteSpan span : words.spans) {
    std::string_view text = words.word(span);
    matches.clear();
    for (std::size_t at = 0; at < text.size();) {
      std::size_t begin = at;
      if (!matches_(next_code_point(text, at), delimiter_)) continue;
      matches.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at)});
    }
    split_at(matches, static_cast<std::uint32_t>(text.size()), behavior_, false, span.begin, spans);
  }
  words.spans = std::move(spans);
}

std::unique_ptr<PreTokenizer> digits(const Json& json, const std::string& where) {
  bool alone = get_bool_or(json, "individual_digits", where, false);
  return std::make_unique<CharacterSplit>(&is_numeric,
                                          alone ? SplitBehavior::isolated : SplitBehavior::contiguous);
}

std::unique_ptr<PreTokenizer> punctuation(const Json& json, const std::string& where) {
  SplitBehavior behavior =
      json.contains("behavior") ? get_split_behavior(json, "behavior", where) : SplitBehavior::isolated;
  return std::make_unique<CharacterSplit>(&is_punctuation, behavior);
}

std::unique_ptr<PreTokenizer> whitespace_split(const Json&, const std::string&) {
  return std::make_unique<CharacterSplit>(&is_white_space, SplitBehavior::removed);
}

std::unique_ptr<PreTokenizer> char_delimiter_split(const Json& json, const std::string& where) {
  return std::make_unique<CharacterSplit>(&is_delimiter, SplitBehavior::removed,
                                          get_character(json, "delimiter", where));
}

void Whitespace::pre_tokenize(Words& words) const {
  enum Kind { kSpace, kWord, kOther };
  std::vector<ByteSpan> spans;
  for (ByteSpan span : words.spans) {
    std::string_view text = std::string_view(words.content.text).substr(0, span.end);
    Kind last = kSpace;
    for (std::size_t at = span.begin; at < text.size();) {
      auto begin = static_cast<std::uint32_t>(at);
      char32_t c = next_code_point(text, at);
      Kind kind = is_word_character(c) ? kWord : is_white_space(c, 0) ? kSpace : kOther;
      auto end = static_cast<std::uint32_t>(at);
      if (kind != kSpace && kind == last) {
        spans.back().end = end;
      } else if (kind != kSpace) {
        spans.push_back({begin, end});
      }
      last = kind;
    }
  }
  words.spans = std::move(spans);
}

std::unique_ptr<PreTokenizer> Whitespace::create(const Json&, const std::string&) {
  return std::make_unique<Whitespace>();
}

}  // namespace surprisal
