// Blank infilling: loss = - E_{z ~ Z_m} sum_i sum_j log p(s_{z_i, j} | x_corrupt, s_{z_<i}, s_{z_i, <j}). A
// text has m blanks, each replaced by one mask; the pieces s_i that stood there are predicted in the order z,
// drawn anew for every sample of every epoch. Du et al. 2022, 2.1; docs/objectives/blank_infilling.md. The
// layout is blank_layout.h's, the blanks are blank_spans.h's, the windows blank_window.h's.
#pragma once

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

inline constexpr ObjectiveTraits kBlankInfillingTraits{.name = "blank_infilling", .own_sight = true};
// One level alone, whatever objective.blank_infilling.level says: to evaluate each of a mix.
inline constexpr ObjectiveTraits kTokenInfillingTraits{.name = "blank_infilling:token", .own_sight = true};
inline constexpr ObjectiveTraits kSentenceInfillingTraits{.name = "blank_infilling:sentence",
                                                          .own_sight = true};
inline constexpr ObjectiveTraits kDocumentInfillingTraits{.name = "blank_infilling:document",
                                                          .own_sight = true};

std::shared_ptr<const Objective> make_blank_infilling(const ObjectiveOptions& options,
                                                      const Tokenizer& tokenizer,
                                                      std::int64_t sequence_length);
std::shared_ptr<const Objective> make_token_infilling(const ObjectiveOptions& options,
                                                      const Tokenizer& tokenizer,
                                                      std::int64_t sequence_length);
std::shared_ptr<const Objective> make_sentence_infilling(const ObjectiveOptions& options,
                                                         const Tokenizer& tokenizer,
                                                         std::int64_t sequence_length);
std::shared_ptr<const Objective> make_document_infilling(const ObjectiveOptions& options,
                                                         const Tokenizer& tokenizer,
                                                         std::int64_t sequence_length);

}  // namespace surprisal
