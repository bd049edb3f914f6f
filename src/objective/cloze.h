// Choice among options for the one blank of a text: loss = - log softmax_k(-s_k) at the right option, where
// s_k is the surprisal of option k in the blank. Du et al. 2022, 2.3 and Eq. 3; docs/objectives/cloze.md.
// Where every option is one token, all are targets of one row; else each option is a sequence of its own.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kClozeTraits{
    .name = "cloze", .kind = ObjectiveKind::choices, .reads = DocumentKind::choice};

std::shared_ptr<const Objective> make_cloze(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                            std::int64_t sequence_length);

}  // namespace surprisal
