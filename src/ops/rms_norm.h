// Root-mean-square normalisation over the last axis (Zhang, Sennrich, arXiv 1910.07467, eq. 4):
// y = x * rstd * weight, rstd = 1 / sqrt(average(x^2) + epsilon). Layer normalisation without mean and bias.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "ops/write.h"

namespace surprisal {

// x, y: f32 [N, D]; y may be x. weight: f32 [D]. rstd: f32 [N], written.
void rms_norm_forward(const Tensor& x, const Tensor& weight, double epsilon, const Tensor& y,
                      const Tensor& rstd);

// dx takes the gradient as `write` says; written over, it may be dy. dweight [D] is added to, unless
// its data is null. workspace: f32, // rms_norm_workspace(N, D) elements.
void rms_norm_backward(const Tensor& x, const Tensor& weight, const Tensor& rstd, const Tensor& dy,
                       const Tensor& dx, Write write, const Tensor& dweight, const Tensor& workspace);
std::int64_t rms_norm_workspace(std::int64_t rows, std::int64_t width);

}  // namespace surprisal
