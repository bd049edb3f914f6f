// The loss: projection onto the vocabulary, log-softmax and surprisal, and all three gradients in the same
// pass, without ever holding T x V numbers (DESIGN.md section 3).
//   surprisal_t = log sum_v exp(z_tv) - z_t,y_t,  z = hidden weight^T + bias
//   d surprisal_t / d z_tv = softmax(z_t)_v - [v = y_t]
// With label smoothing e (Szegedy et al. 2016, section 7) the gradients are those of
//   (1 - e) surprisal_t + e mean_v -log p_tv,  [v = y_t] being (1 - e) [v = y_t] + e / V
// while the surprisal stays what it is.
// Rows are chunked by a fixed budget: three matrix products, 6 T V D operations, whatever T is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor.h"
#include "ops/gemm.h"

namespace surprisal {

struct CrossEntropyInput {
  Tensor hidden;                         // f32 [T, D]
  Tensor weight;                         // f32 [V, D]
  Tensor bias;                           // f32 [V]; data null: none
  std::span<const std::int32_t> target;  // [T] right answers, below V
};

struct CrossEntropyGradients {
  std::span<const float> scale;      // [T] d(loss)/d(surprisal_t)
  Tensor dhidden;                    // f32 [T, D], written
  Tensor dweight;                    // f32 [V, D], added to; data null: a frozen head, skipped
  Tensor dbias;                      // f32 [V], added to; data null: skipped
  Write write_dweight = Write::add;  // Write::over: dweight is written, which takes T > 0
  float dweight_scale = 1;           // of what dweight receives; dhidden does not know it
  float smoothing = 0;               // e
};

// surprisal: [T], written, in nats. predicted: [T] most probable ids (ties to the smallest), or empty.
// workspace: f32, cross_entropy_workspace(T, V, budget) elements.
void linear_cross_entropy_forward(const CrossEntropyInput& input, std::span<float> surprisal,
                                  std::span<std::int32_t> predicted, const Tensor& workspace);
void linear_cross_entropy(const CrossEntropyInput& input, const CrossEntropyGradients& gradients,
                          std::span<float> surprisal, std::span<std::int32_t> predicted,
                          const Tensor& workspace);

// Elements of f32 workspace (room for one row at least): with what products copy beside it, at most `budget`
// bytes.
std::int64_t cross_entropy_workspace(std::int64_t targets, std::int64_t vocabulary, std::size_t budget);

}  // namespace surprisal
