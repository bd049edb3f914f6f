// Layer normalisation over the last axis (Ba, Kiros, Hinton, arXiv 1607.06450, eq. 4):
// y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(variance + epsilon), variance without Bessel's
// correction.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/tensor.h"
#include "ops/write.h"

namespace surprisal {

struct LayerNormStatistics {
  Tensor mean;  // f32 [N]
  Tensor rstd;  // f32 [N]
};

// x, y: f32 [N, D]; y may be x. weight, bias: f32 [D].
void layer_norm_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon,
                        const Tensor& y, const LayerNormStatistics& statistics);

// dx takes the gradient as `write` says; written over, it may be dy. dweight, dbias [D] are added to,
// those whose data is null are left out. workspace: f32, layer_norm_workspace(N, D) elements.
void layer_norm_backward(const Tensor& x, const Tensor& weight, const LayerNormStatistics& statistics,
                         const Tensor& dy, const Tensor& dx, Write write, const Tensor& dweight,
                         const Tensor& dbias, const Tensor& workspace);
std::int64_t layer_norm_workspace(std::int64_t rows, std::int64_t width);

}  // namespace surprisal
