#include "objective/registry.h"

#include "objective/blank_infilling.h"
#include "objective/causal.h"
#include "objective/classification.h"
#include "objective/cloze.h"
#include "objective/conditional.h"
#include "objective/mlm.h"
#include "objective/nsp.h"
#include "objective/reverse.h"
#include "objective/sop.h"

namespace surprisal {

std::span<const ObjectiveEntry> objective_table() {
  static const ObjectiveEntry table[] = {
      {kMlmTraits, make_mlm},
      {kNspTraits, make_nsp},
      {kSopTraits, make_sop},
      {kCausalTraits, make_causal},
      {kReverseTraits, make_reverse},
      {kConditionalTraits, make_conditional},
      {kBlankInfillingTraits, make_blank_infilling},
      {kTokenInfillingTraits, make_token_infilling},
      {kSentenceInfillingTraits, make_sentence_infilling},
      {kDocumentInfillingTraits, make_document_infilling},
      {kClozeTraits, make_cloze},
      {kClassificationTraits, make_classification},
      {kRegressionTraits, make_regression},
      {kTokenClassificationTraits, make_token_classification},
  };
  return table;
}

const ObjectiveEntry* find_objective(std::string_view name) {
  for (const ObjectiveEntry& entry : objective_table()) {
    if (entry.traits.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace surprisal
