// The options of blank infilling, checked and resolved against a tokenizer and a sequence length: what each
// level of the mix does, and how large its samples may become.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "objective/blank_layout.h"
#include "objective/blank_levels.h"
#include "objective/blank_options.h"
#include "objective/blank_window.h"
#include "objective/objective.h"

namespace surprisal {

struct LevelPlan {
  BlankLevel level = BlankLevel::token;
  double probability = 1;   // of a sample: the share of the text by the length of the windows
  std::int64_t length = 0;  // of a window
  std::int64_t rows = 0;    // where samples are cut off, if they are
  BlankLayout layout{};     // of blanks within the text
  BlankLayout suffix{};     // of a blank that is its end
};

struct BlankPlan {
  // Throws Error (usage): an option out of range, a tokenizer without what the levels need, a sequence length
  // that leaves no room for a span. `objective` names it in errors.
  BlankPlan(std::string_view objective, const BlankInfillingOptions& options,
            const std::vector<LevelShare>& shares, const Tokenizer& tokenizer, std::int64_t sequence_length);

  SampleExtent extent() const;
  // How many of a sequence's tokens shall be blank at levels token and sentence: as GLM counts, special
  // tokens too, but one at least.
  std::int64_t masked_tokens(std::int64_t rows) const;

  BlankInfillingOptions options;
  BlankWindowCutter cutter;
  SpanLengths lengths;
  std::optional<std::int32_t> noise;  // the token, where there is any
  std::vector<LevelPlan> levels;

 private:
  SampleExtent extent(const LevelPlan& plan) const;
};

}  // namespace surprisal
