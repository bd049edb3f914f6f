// The options of objectives that a model is asked by.
#pragma once

#include <vector>

#include "surprisal/override.h"

#include "model/config.h"
#include "objective/options.h"

namespace surprisal {

// Those of read_objective_keys(); what they leave open of blank infilling is as the model's family was
// published.
ObjectiveOptions objective_of(const ModelConfig& config, std::vector<Override> keys);

}  // namespace surprisal
