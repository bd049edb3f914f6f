// The levels of blank infilling and their mix.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

// Spans of a few tokens, whole sentences, or one long stretch of the text.
enum class BlankLevel { token, sentence, document };

std::string_view level_name(BlankLevel level);

struct LevelShare {
  BlankLevel level = BlankLevel::token;
  double share = 1;  // of all, which sum to 1; above 0
};

// From "token" or "0.4 token | 0.3 sentence | 0.3 document", by ascending level. Throws Error (usage) with
// the column and, for an unknown level, the nearest name.
std::vector<LevelShare> parse_levels(const std::string& text);

}  // namespace surprisal
