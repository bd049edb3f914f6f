// [objective] and its tables, one an objective.
#pragma once

#include <cstdint>
#include <string>

#include "core/options.h"

namespace surprisal {

struct MlmOptions {
  double probability = 0.15;  // of a token to be predicted
  double mask = 0.8;          // of a predicted token to be replaced by the mask token
  double random = 0.1;        // ... by a random token; the rest is kept
  std::string count =
      "fixed";  // fixed: max(1, round(probability * length)); bernoulli: each token alone, at least one
  void visit(OptionVisitor& visitor);
};

struct NspOptions {
  double random_next = 0.5;     // probability of a random B where a true one exists
  double short_sequence = 0.1;  // probability of a shorter target length for a document's pass
  void visit(OptionVisitor& visitor);
};

struct ObjectiveOptions {
  std::string train{};  // the specification
  MlmOptions mlm{};
  NspOptions nsp{};
  void visit(OptionVisitor& visitor);         // [objective] with its tables
  void visit_tables(OptionVisitor& visitor);  // the tables alone
};

}  // namespace surprisal
