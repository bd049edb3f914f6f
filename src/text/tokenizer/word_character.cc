#include "text/tokenizer/word_character.h"

#include <vector>

#include "core/regex.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

// One match over all code points at first use, for PCRE2 knows the property Alphabetic and utf8proc does not.
std::vector<CodePointRange> find_word_characters() {
  static const Regex known(R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+)", "the word character");
  std::string text;
  for (char32_t c = 0; c < 0x110000; ++c) {
    // Beyond plane 3 there is only the variation selectors' plane 14, whose characters are marks or none.
    if (c == 0xD800) c = 0xE000;
    if (c == 0x40000) c = 0xE0000;
    if (c == 0xF0000) break;
    append_utf8(c, text);
  }
  std::vector<CodePointRange> ranges;
  RegexMatches matches(known);
  matches.restart(text);
  while (std::optional<ByteSpan> match = matches.next()) {
    for (std::size_t at = match->begin; at < match->end;) {
      char32_t c = next_code_point(text, at);
      if (ranges.empty() || ranges.back().last + 1 != c) ranges.push_back({c, c});
      ranges.back().last = c;
    }
  }
  ranges.insert(ranges.end(), new_word_characters().begin(), new_word_characters().end());
  return ranges;
}

}  // namespace

bool is_word_character(char32_t c) {
  static const CodePointSet set(find_word_characters());
  return set.contains(c);
}

}  // namespace surprisal
