// Left to right: loss = - sum_t log p(x_t | x_<t). Row t holds x_t, sees [0, t + 1) and predicts x_{t+1}.
// Radford et al. 2018, equation 1. docs/objectives/causal.md; the cutting is window.h's.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kCausalTraits{.name = "causal", .covers_text = true, .decoder = true};

std::shared_ptr<const Objective> make_causal(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                             std::int64_t sequence_length);

}  // namespace surprisal
