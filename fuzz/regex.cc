// Patterns of tokenizer.json: translated, compiled, and matched. The part behind 0xFF is more of the text.
#include "core/regex.h"

#include "fuzz/hard_text.h"
#include "fuzz/target.h"
#include "text/tokenizer/oniguruma.h"

namespace surprisal::fuzz {

void read(std::string_view input) {
  const std::vector<std::string> parts = parts_of(input, 2);
  const Regex regex(pcre2_pattern(parts[0], "tokenizer.json"), "tokenizer.json");
  const std::string text = hard_text(parts[1]);
  RegexMatches matches(regex);
  matches.restart(text);
  std::uint32_t end = 0;
  while (std::optional<ByteSpan> match = matches.next()) {
    expect(match->begin >= end && match->begin <= match->end && match->end <= text.size(),
           "a match out of order");
    end = match->end;
  }
}

std::vector<std::string> seeds() {
  return {
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
      R"([a-z&&[^aeiou]]+|[^\x{4e00}-\x{9fff}[:alpha:]]|\h+|\R)",
      R"((?<year>\d{2,4})-\k<year>|(a)(b)?\1)",
      R"((?m-i:^.*?$)|\A\w+\b|(?>x+)(?<=xx)(?<!y)\z)",
      R"(\u00e9|\x41|\n|\t|\p{^Lu}|\P{Han}|\p{Latin}{,3}+)",
      "(a+)+$",
      "(a|aa)*b\xFF" + std::string(200, 'a'),
  };
}

}  // namespace surprisal::fuzz
