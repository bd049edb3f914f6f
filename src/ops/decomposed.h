// Weight-decomposed adaptation (DoRA: Liu et al., arXiv 2402.09353, eq. 5 and 11): every output of a linear
// layer with a low-rank branch has a magnitude m of its own,
//   y = x W^T + bias + gain directed - base,   base = d W^T,   directed = base + scale (d A^T) B^T,
//   gain = m / |W + scale B A|
// where d is x behind the branch's dropout and |.| the norm of a row, a constant to the gradient. Without
// dropout that is gain directed + bias.
#pragma once

#include "core/tensor.h"
#include "ops/gemm.h"
#include "ops/low_rank.h"

namespace surprisal {

// norm[j] = |W_j + scale (B A)_j| for every row of weight, f32 [out, in]; norm: f32 [out].
void adapted_row_norms(const Tensor& weight, const LowRank& branch, const Tensor& norm);

// y += gain directed - base. base, directed: f32 [N, out]; magnitude, norm: f32 [out]; y: of any stride.
void decomposed_forward(const Tensor& base, const Tensor& directed, const Tensor& magnitude,
                        const Tensor& norm, const Matrix& y);

// From dy, of any stride: dmagnitude[j] += sum_i dy[i, j] directed[i, j] / norm_j, and ddirected = gain dy,
// f32 [N, out], is written.
void decomposed_backward(const Tensor& directed, const Tensor& magnitude, const Tensor& norm,
                         const Matrix& dy, const Tensor& dmagnitude, const Tensor& ddirected);

// dbase = ddirected - dy: of d W^T in both places where it stands. dbase may be ddirected.
void decomposed_base_gradient(const Tensor& ddirected, const Matrix& dy, const Tensor& dbase);

}  // namespace surprisal
