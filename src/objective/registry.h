// The table of objectives: the one place that knows them all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "objective/objective.h"
#include "objective/options.h"

namespace surprisal {

struct ObjectiveEntry {
  const ObjectiveTraits& traits;
  // Throws Error (usage): an impossible option, a tokenizer without what the objective needs (naming both), a
  // sequence length that leaves no room for a token.
  std::shared_ptr<const Objective> (*make)(const ObjectiveOptions& options, const Tokenizer& tokenizer,
                                           std::int64_t sequence_length);
};

std::span<const ObjectiveEntry> objective_table();

// Null where there is no objective of this name.
const ObjectiveEntry* find_objective(std::string_view name);

}  // namespace surprisal
