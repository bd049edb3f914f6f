// A completion given its prompt: loss = - sum_t log p(y_t | x, y_<t), the end of the completion included.
// docs/objectives/conditional.md. Where the tokenizer has GLM's tokens, the prompt with a mask is Part A,
// which sees itself in both directions, and the completion is the mask's piece (blank_layout.h); GLM-130B's
// multi-task instruction pre-training. Elsewhere every row sees what stands before it.
//
//   decoder  input   b  x_1 .. x_p  y_1 .. y_t           glm  Part A  [CLS]  x_1 .. x_p  [MASK] <|endoftext|>
//            target                 y_1 .. y_t  e             Part B  as blank infilling has a piece
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kConditionalTraits{
    .name = "conditional", .reads = DocumentKind::pair, .decoder = true};

std::shared_ptr<const Objective> make_conditional(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                                  std::int64_t sequence_length);

}  // namespace surprisal
