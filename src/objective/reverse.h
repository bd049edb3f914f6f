// Right to left: loss = - sum_t log p(x_t | x_>t). The rows of the sequence b x_n .. x_1 as `causal` has
// them, so the row of x_t predicts x_{t-1}. Papadopoulos et al. 2024. docs/objectives/reverse.md; the cutting
// is window.h's.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kReverseTraits{.name = "reverse", .covers_text = true, .decoder = true};

std::shared_ptr<const Objective> make_reverse(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                              std::int64_t sequence_length);

}  // namespace surprisal
