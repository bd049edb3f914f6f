// Next sentence prediction: loss = - log p(class | first row); class 0: B follows A in its document, 1: B is
// from another one. Pairs are built as BERT's create_pretraining_data builds them, unused sentences put back.
// Devlin et al. 2019, 3.1. docs/objectives/nsp.md.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kNspTraits{
    .name = "nsp", .kind = ObjectiveKind::labels, .classes = 2, .segments = 2};

std::shared_ptr<const Objective> make_nsp(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                          std::int64_t sequence_length);

}  // namespace surprisal
