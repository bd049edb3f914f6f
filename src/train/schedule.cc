#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace surprisal {

std::int64_t warmup_steps(const TrainOptions& options, std::int64_t total) {
  std::int64_t steps =
      options.warmup_ratio > 0
          ? static_cast<std::int64_t>(std::ceil(options.warmup_ratio * static_cast<double>(total)))
          : options.warmup_steps;
  return std::min(steps, total);
}

double learning_rate(const TrainOptions& options, std::int64_t total, std::int64_t step) {
  std::int64_t warmup = warmup_steps(options, total);
  if (step <= warmup) return options.learning_rate * static_cast<double>(step) / static_cast<double>(warmup);
  if (options.lr_scheduler_type == "constant") return options.learning_rate;
  double done = static_cast<double>(step - 1 - warmup) / static_cast<double>(total - warmup);
  if (options.lr_scheduler_type == "cosine") {
    return options.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
  return options.learning_rate * (1 - done);
}

}  // namespace surprisal
