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

namespace {

// `done`: the share of the steps after warmup that lies behind; 1 is never reached.
using Shape = double (*)(const TrainOptions& options, double done);

double line(const TrainOptions&, double done) {
  return 1 - done;
}
double half_cosine(const TrainOptions&, double done) {
  return 0.5 * (1 + std::cos(std::numbers::pi * done));
}
double polynomial(const TrainOptions& options, double done) {
  return std::pow(1 - done, options.lr_power);
}

double falling(Shape shape, const TrainOptions& options, double done) {
  return options.lr_min_ratio + (1 - options.lr_min_ratio) * shape(options, done);
}

// llm.c's and MiniCPM's schedule (Hu et al. 2024, arXiv 2404.06395): level, then down by 1 - sqrt.
double stable_then_decay(const TrainOptions& options, std::int64_t warmup, std::int64_t total,
                         std::int64_t step) {
  const double decay = std::min(std::ceil(options.lr_decay_ratio * static_cast<double>(total)),
                                static_cast<double>(total - warmup));
  const double into = static_cast<double>(step - 1) - (static_cast<double>(total) - decay);
  if (into <= 0) return 1;
  return falling([](const TrainOptions&, double done) { return 1 - std::sqrt(done); }, options, into / decay);
}

// As `transformers` has it: without warmup the time scale is 10,000 steps.
double inverse_square_root(std::int64_t warmup, std::int64_t step) {
  const double scale = warmup > 0 ? static_cast<double>(warmup) : 10000;
  return 1 / std::sqrt((static_cast<double>(step - 1 - warmup) + scale) / scale);
}

}  // namespace

double learning_rate(const TrainOptions& options, std::int64_t total, std::int64_t step) {
  const std::int64_t warmup = warmup_steps(options, total);
  if (step <= warmup) return options.learning_rate * static_cast<double>(step) / static_cast<double>(warmup);
  const double done = static_cast<double>(step - 1 - warmup) / static_cast<double>(total - warmup);
  const std::string& type = options.lr_scheduler_type;
  double share = 1;  // "constant"
  if (type == "linear") share = falling(line, options, done);
  if (type == "cosine") share = falling(half_cosine, options, done);
  if (type == "polynomial") share = falling(polynomial, options, done);
  if (type == "inverse_sqrt") share = inverse_square_root(warmup, step);
  if (type == "warmup_stable_decay") share = stable_then_decay(options, warmup, total, step);
  return options.learning_rate * share;
}

}  // namespace surprisal
