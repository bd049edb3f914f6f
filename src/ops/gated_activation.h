// Gated linear units (Shazeer, arXiv 2002.05202), the linear half first and the gate second:
//   y[i, j] = x[i, j] f(x[i, F + j]).   f = gelu: GeGLU; silu: SwiGLU; sigmoid: GLU.
#pragma once

#include "core/tensor.h"
#include "ops/activation.h"

namespace surprisal {

// x: f32 [N, 2F]; y: f32 [N, F], which overlaps nothing.
void gated_activation_forward(Activation kind, const Tensor& x, const Tensor& y);

// In place, so that no gradient of y needs memory beside x's: dx, f32 [N, 2F], holds dy in its first F
// columns (its row stride is 2F) and receives
//   dx[i, j] = dy[i, j] f(x[i, F + j]),   dx[i, F + j] = dy[i, j] x[i, j] f'(x[i, F + j]).
void gated_activation_backward(Activation kind, const Tensor& x, const Tensor& dx);

}  // namespace surprisal
