// y = x W^T + b, with W [out, in] as PyTorch's Linear stores it. x [N, in], y [N, out].
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "ops/gemm.h"

namespace surprisal {

// Writes y. `bias` may be empty (data null).
void linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& y);

// dx [N, in] takes dy W and dweight dy^T x as their `write` says; dbias += sum over rows of dy (none of them
// where its data is null). dx overlaps nothing else. workspace: f32,
// linear_workspace(N, out) elements.
void linear_backward(const Tensor& x, const Tensor& weight, const Tensor& dy, const Tensor& dx,
                     Write write_dx, const Tensor& dweight, const Tensor& dbias, const Tensor& workspace,
                     Write write_dweight = Write::add);
std::int64_t linear_workspace(std::int64_t rows, std::int64_t out);

// out[j] += sum_i x[i, j], over fixed blocks of rows added in order. workspace as above.
void add_column_sums(const Tensor& x, const Tensor& out, const Tensor& workspace);

}  // namespace surprisal
