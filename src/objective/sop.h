// Sentence order prediction: loss = - log p(class | first row); class 0: A and B follow one another in their
// document, 1: B stands before A. Pairs are cut as those of `nsp`. Lan et al. 2020, 3.1.
// docs/objectives/sop.md.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kSopTraits{
    .name = "sop", .kind = ObjectiveKind::labels, .classes = 2, .segments = 2};

std::shared_ptr<const Objective> make_sop(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                          std::int64_t sequence_length);

}  // namespace surprisal
