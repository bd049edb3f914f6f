// The learning rate of each step.
#pragma once

#include <cstdint>

#include "train/options.h"

namespace surprisal {

// Steps of warmup out of `total`.
std::int64_t warmup_steps(const TrainOptions& options, std::int64_t total);

// Of optimizer step `step`, counted from 1 to `total`. It rises in a line to the peak, which the last step of
// warmup has, and falls from there over the steps that are left. With d = (step - 1 - warmup) / (total -
// warmup): linear 1 - d, cosine (1 + cos(pi d)) / 2, polynomial (1 - d)^lr_power, each from 1 to
// lr_min_ratio; warmup_stable_decay is 1 and then 1 - sqrt over the last lr_decay_ratio of all steps;
// inverse_sqrt is sqrt(warmup / (step - 1)), which knows no end; constant is 1. Without lr_min_ratio too no
// step has a rate of 0, so none is wasted.
double learning_rate(const TrainOptions& options, std::int64_t total, std::int64_t step);

}  // namespace surprisal
