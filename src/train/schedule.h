// The learning rate of each step.
#pragma once

#include <cstdint>

#include "train/options.h"

namespace surprisal {

// Steps of warmup out of `total`.
std::int64_t warmup_steps(const TrainOptions& options, std::int64_t total);

// Of optimizer step `step`, counted from 1 to `total`. It rises in a line to the peak, which the last step of
// warmup has, and falls from there over the steps that are left: linear: (total - step + 1) / (total -
// warmup); cosine: half a period of the same; constant: not at all. No step has a rate of 0, so none is
// wasted.
double learning_rate(const TrainOptions& options, std::int64_t total, std::int64_t step);

}  // namespace surprisal
