// The definition of right for adamw.h.
#pragma once

#include <cmath>

#include "ops/adamw.h"

namespace surprisal::reference {

// One parameter.
template <class Number>
void adamw(const AdamWStep& step, Number& weight, Number gradient, Number& m, Number& v) {
  using std::sqrt;
  const Number g = gradient * Number(step.gradient_scale);
  m = Number(step.beta1) * m + Number(1 - step.beta1) * g;
  v = Number(step.beta2) * v + Number(1 - step.beta2) * g * g;
  Number m_hat = m, v_hat = v;
  if (step.bias_correction) {
    m_hat /= Number(1 - std::pow(step.beta1, static_cast<double>(step.step)));
    v_hat /= Number(1 - std::pow(step.beta2, static_cast<double>(step.step)));
  }
  const Number update = m_hat / (sqrt(v_hat) + Number(step.epsilon)) + Number(step.weight_decay) * weight;
  weight -= Number(step.learning_rate) * update;
}

}  // namespace surprisal::reference
