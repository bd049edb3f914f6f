#include "train/optimizer.h"

#include <cmath>

#include "ops/adamw.h"

namespace surprisal {
namespace {

// 1 where the norm is within bounds; as PyTorch's clip_grad_norm_ otherwise.
double clipping_factor(double norm, double most) {
  return most > 0 && norm > most ? most / (norm + 1e-6) : 1;
}

bool has_gradient(const Parameter& parameter, StepContent content) {
  return parameter.gradient_from == GradientFrom::anything ||
         (parameter.gradient_from == GradientFrom::targets ? content.targets : content.labels);
}

}  // namespace

Optimizer::Optimizer(const Transformer& model) : size_(static_cast<std::size_t>(model.trained().table.size)) {
  for (int pass = 0; pass < 2; ++pass) {
    m_ = arena_.take({model.trained().table.size});
    v_ = arena_.take({model.trained().table.size});
    if (pass == 0) arena_.reserve();
  }
}

std::size_t Optimizer::plan(const ParameterTable& table) {
  Arena arena("optimizer");
  arena.take({table.size});
  arena.take({table.size});
  return arena.peak_bytes();
}

double Optimizer::step(Transformer& model, const TrainOptions& options, std::int64_t number,
                       double learning_rate, StepContent content) {
  double norm = std::sqrt(squared_norm(model.gradients()));
  if (!std::isfinite(norm)) return norm;
  AdamWStep step{.learning_rate = learning_rate,
                 .beta1 = options.adam_beta1,
                 .beta2 = options.adam_beta2,
                 .epsilon = options.adam_epsilon,
                 .step = number,
                 .bias_correction = options.adam_bias_correction,
                 .gradient_scale = clipping_factor(norm, options.max_grad_norm)};
  const TrainedParameters& trained = model.trained();
  const std::span<float> weights = model.weights(), gradients = model.gradients();
  for (std::size_t index = 0; index < trained.index.size(); ++index) {
    const Parameter& parameter = trained.table.parameters[index];
    if (!has_gradient(parameter, content)) continue;
    step.weight_decay = parameter.decay ? options.weight_decay : 0;
    const Parameter& whole = model.table().parameters[static_cast<std::size_t>(trained.index[index])];
    std::size_t begin = static_cast<std::size_t>(parameter.offset);
    std::size_t count = static_cast<std::size_t>(parameter.shape.elements());
    adamw(step, weights.subspan(static_cast<std::size_t>(whole.offset), count),
          gradients.subspan(begin, count), first_moment().subspan(begin, count),
          second_moment().subspan(begin, count));
  }
  return norm;
}

}  // namespace surprisal
