// Masked language model: loss = - sum_{i in M} log p(x_i | x_masked). M is drawn anew for every sample of
// every epoch, of tokens, whole words or spans; 80 % become the mask token, 10 % a random one, 10 % stay.
// Every row sees the whole sequence. Devlin et al. 2019, 3.1; Joshi et al. 2020, 3.1. docs/objectives/mlm.md.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kMlmTraits{.name = "mlm", .joins_labels = true};

std::shared_ptr<const Objective> make_mlm(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                          std::int64_t sequence_length);

}  // namespace surprisal
