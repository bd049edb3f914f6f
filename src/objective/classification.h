// Labels of texts and of their words, by a classifier in place of the vocabulary head: fine-tuning as in
// Devlin et al. 2019, 4.1 and 5.3.
//   classification        loss = - log p(class | the sequence's row)
//   regression            loss = (number - what the sequence's row says)^2
//   token_classification  loss = - log p(class | the word's first row), mean over words
// The sequence's row is its first, whose token (CLS) stands for the whole, or, of a decoder, its last.
// docs/objectives/classification.md, regression.md and token_classification.md.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kClassificationTraits{.name = "classification",
                                                       .kind = ObjectiveKind::labels,
                                                       .reads = DocumentKind::labelled,
                                                       .classifier = Classifier::text};
inline constexpr ObjectiveTraits kRegressionTraits{.name = "regression",
                                                   .kind = ObjectiveKind::labels,
                                                   .reads = DocumentKind::labelled,
                                                   .classifier = Classifier::number};
inline constexpr ObjectiveTraits kTokenClassificationTraits{.name = "token_classification",
                                                            .kind = ObjectiveKind::labels,
                                                            .reads = DocumentKind::labelled,
                                                            .classifier = Classifier::word};

std::shared_ptr<const Objective> make_classification(const ObjectiveOptions& options,
                                                     const Tokenizer& tokenizer,
                                                     std::int64_t sequence_length);
std::shared_ptr<const Objective> make_regression(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                                 std::int64_t sequence_length);
std::shared_ptr<const Objective> make_token_classification(const ObjectiveOptions& options,
                                                           const Tokenizer& tokenizer,
                                                           std::int64_t sequence_length);

}  // namespace surprisal
