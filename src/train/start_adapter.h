// How a run's adapter starts.
#pragma once

#include "model/transformer.h"
#include "train/options.h"
#include "train/setup.h"

namespace surprisal {

// Draws the adapter of a model whose base is loaded, or takes it from the words of adapter.init_text, which go
// through the base once more. Throws Error (usage) where the text has no token, and memory.
void start_adapter(const Configuration& configuration, const RunSetup& setup, Transformer& model);

}  // namespace surprisal
