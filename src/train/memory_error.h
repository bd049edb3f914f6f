// A run for which there is not enough memory: what it needs, by kind, and which keys would make it fit.
#pragma once

#include <string>

#include "surprisal/error.h"

#include "train/setup.h"
#include "train/trainer.h"

namespace surprisal {

// Memory that is not there is granted all the same and missed only when it is used; then the kernel ends the
// process without a word. Throws memory_error() where the plan is beyond what there is.
void require_memory(const Configuration& configuration, const RunSetup& setup, const RunPlan& plan);

// `what` happened, with the plan by kind and with what would fit into the memory that there is now: call it
// once the run's own is given back.
Error memory_error(const std::string& what, const Configuration& configuration, const RunSetup& setup,
                   const RunPlan& plan);

}  // namespace surprisal
