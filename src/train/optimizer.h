// AdamW over a model's flat arrays: decay groups, clipping, state.
#pragma once

#include <cstdint>
#include <span>

#include "core/arena.h"
#include "model/transformer.h"
#include "train/options.h"

namespace surprisal {

// What a step had; its gradients are zero where there was nothing.
struct StepContent {
  bool targets = true, labels = true;
};

class Optimizer {
 public:
  explicit Optimizer(const Transformer& model);
  static std::size_t plan(const ParameterTable& table);

  // Global norm of the gradients, and the update scaled so that the norm is at most max_grad_norm. A norm
  // that is not finite is returned and nothing is changed. Parameters of a head for which the step had
  // nothing stay as they are, weights and moments: PyTorch's optimizers leave out what has no gradient.
  double step(Transformer& model, const TrainOptions& options, std::int64_t number, double learning_rate,
              StepContent content = {});

  // First and second moments, laid out as the gradients.
  std::span<float> first_moment() { return {m_.f32(), size_}; }
  std::span<float> second_moment() { return {v_.f32(), size_}; }

 private:
  Arena arena_{"optimizer"};
  std::size_t size_;
  Tensor m_, v_;
};

}  // namespace surprisal
