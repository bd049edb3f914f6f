// A completion given its prompt: loss = - sum_t log p(y_t | x, y_<t), the end of the completion included.
// docs/objectives/conditional.md. Its two forms are conditional_decoder.h and, where the tokenizer has GLM's
// tokens, conditional_infilling.h (GLM-130B's multi-task instruction pre-training).
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kConditionalTraits{
    .name = "conditional", .reads = DocumentKind::pair, .decoder = true};

std::shared_ptr<const Objective> make_conditional(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                                  std::int64_t sequence_length);

// Where the begin of text stands in a pair of texts; `by_shape`: between context and completion of a line,
// before the prompt of a record.
enum class BeginOfText { by_shape, before, between, none };
// Throws Error (usage).
BeginOfText begin_of_text(const ObjectiveOptions& options);

}  // namespace surprisal
