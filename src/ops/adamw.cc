#include "ops/adamw.h"

#include <cassert>
#include <cmath>

#include "ops/adamw_cpu.h"

namespace surprisal {

void adamw(const AdamWStep& step, std::span<float> weight, std::span<const float> gradient,
           std::span<float> m, std::span<float> v) {
  assert(step.step >= 1 && gradient.size() == weight.size() && m.size() == weight.size() &&
         v.size() == weight.size());
  double rate = step.learning_rate, root_scale = 1;
  if (step.bias_correction) {
    rate /= 1 - std::pow(step.beta1, static_cast<double>(step.step));
    root_scale = 1 / std::sqrt(1 - std::pow(step.beta2, static_cast<double>(step.step)));
  }
  const AdamWCoefficients coefficients = {
      .gradient_scale = static_cast<float>(step.gradient_scale),
      .beta1 = static_cast<float>(step.beta1),
      .rest1 = static_cast<float>(1 - step.beta1),
      .beta2 = static_cast<float>(step.beta2),
      .rest2 = static_cast<float>(1 - step.beta2),
      .keep = static_cast<float>(1 - step.learning_rate * step.weight_decay),
      .rate = static_cast<float>(rate),
      .root_scale = static_cast<float>(root_scale),
      .epsilon = static_cast<float>(step.epsilon),
  };
  adamw_cpu(coefficients, static_cast<std::int64_t>(weight.size()), weight.data(), gradient.data(), m.data(),
            v.data());
}

double squared_norm(std::span<const float> values) {
  return squared_norm_cpu(static_cast<std::int64_t>(values.size()), values.data());
}

}  // namespace surprisal
