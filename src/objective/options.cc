#include "objective/options.h"

namespace surprisal {

void MlmOptions::visit(OptionVisitor& visitor) {
  visitor.field("probability", probability, {0, 1, true}, "of a token to be predicted");
  visitor.field("mask", mask, {0, 1}, "probability of a predicted token to be replaced by the mask token");
  visitor.field("random", random, {0, 1}, "... by a random token; the rest is kept");
  visitor.field("count", count, {"fixed", "bernoulli"},
                "fixed: max(1, round(probability * length)) tokens; bernoulli: each alone, at least one");
}

void NspOptions::visit(OptionVisitor& visitor) {
  visitor.field("random_next", random_next, {0, 1}, "probability of a random B where a true one exists");
  visitor.field("short_sequence", short_sequence, {0, 1},
                "probability of a shorter target length for a document's pass");
}

void ObjectiveOptions::visit(OptionVisitor& visitor) {
  visitor.field("train", train, {}, "what is trained: \"mlm + nsp\", \"0.5 causal | 0.5 reverse\"",
                {.required = true});
  visit_tables(visitor);
}

void ObjectiveOptions::visit_tables(OptionVisitor& visitor) {
  visitor.table("mlm", "masked language model", [&](OptionVisitor& table) { mlm.visit(table); });
  visitor.table("nsp", "next sentence prediction", [&](OptionVisitor& table) { nsp.visit(table); });
}

}  // namespace surprisal
