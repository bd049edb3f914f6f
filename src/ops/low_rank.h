// A low-rank branch beside a linear layer (LoRA: Hu et al., arXiv 2106.09685, section 4.1):
//   y += scale (x A^T) B^T,   A [r, in], B [out, r], x [N, in], y [N, out]
// The layer's own weight may be frozen: what flows back through it is linear_backward's dx alone.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "ops/gemm.h"

namespace surprisal {

struct LowRank {
  Tensor a;  // f32 [r, in]
  Tensor b;  // f32 [out, r]
  float scale = 1;
};

// Writes inner = x A^T, f32 [N, r], which backward needs, and adds to y: rows as x, columns as B's rows, of
// any stride.
void low_rank_forward(const Tensor& x, const LowRank& branch, const Tensor& inner, const Matrix& y);

// From dy [N, out], of any stride: writes dinner = scale dy B, f32 [N, r], and adds to da and db. `inner` is
// forward's.
void low_rank_backward(const Tensor& x, const LowRank& branch, const Tensor& inner, const Matrix& dy,
                       const Tensor& dinner, const Tensor& da, const Tensor& db);

// dx [N, in], of any stride, takes dinner A as `write` says; it may be x.
void low_rank_input_gradient(const Tensor& dinner, const LowRank& branch, const Matrix& dx,
                             Write write = Write::add);

}  // namespace surprisal
