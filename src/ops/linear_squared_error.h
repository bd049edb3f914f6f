// The loss of a regression: one output, and its squared distance from the right number.
//   y_s = hidden_s . weight + bias,  error_s = (y_s - value_s)^2
// which is -log p under a normal distribution of variance 1/2, up to a constant.
#pragma once

#include <span>

#include "core/tensor.h"

namespace surprisal {

struct SquaredErrorInput {
  Tensor hidden;                 // f32 [S, D]
  Tensor weight;                 // f32 [1, D]
  Tensor bias;                   // f32 [1]; data null: none
  std::span<const float> value;  // [S] right answers
};

struct SquaredErrorGradients {
  std::span<const float> scale;  // [S] d(loss)/d(error_s)
  Tensor dhidden;                // f32 [S, D], written
  Tensor dweight;                // f32 [1, D], added to; data null: frozen, skipped
  Tensor dbias;                  // f32 [1], likewise
};

// error, output: [S], written. Sums are formed in double.
void linear_squared_error_forward(const SquaredErrorInput& input, std::span<float> error,
                                  std::span<float> output);
// `output`: of the forward.
void linear_squared_error_backward(const SquaredErrorInput& input, std::span<const float> output,
                                   const SquaredErrorGradients& gradients);

}  // namespace surprisal
