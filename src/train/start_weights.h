// The weights that a run begins with.
#pragma once

#include "surprisal/train.h"

#include "model/transformer.h"
#include "train/checkpoint.h"
#include "train/options.h"
#include "train/setup.h"

namespace surprisal {

// Draws a new model, or loads model.path and, with an adapter, adapter.path or what an adapter starts as;
// tells the observer what was drawn or applied. Of a run that is resumed an adapter's checkpoint holds the
// rest. Returns what the run's checkpoints say of the adapter. Throws Error as loading does, and usage where
// adapter.init_text has no token.
CheckpointAdapter start_weights(const Configuration& configuration, const RunSetup& setup, Transformer& model,
                                TrainObserver& observer);

}  // namespace surprisal
