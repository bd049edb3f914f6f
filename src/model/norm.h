// The model's norms, of the kind that its configuration names.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "model/config.h"
#include "model/tensors.h"
#include "ops/layer_norm.h"
#include "ops/write.h"

namespace surprisal {

// x, y: f32 [N, D]; y may be x. Of the statistics, the mean is empty where the kind has none.
void norm_forward(const ModelConfig& config, const Affine& weights, const Tensor& x, const Tensor& y,
                  const LayerNormStatistics& statistics);

// dx takes the gradient as `write` says; written over, it may be dy. The gradients are added to. workspace:
// f32, norm_workspace(config, N) elements.
void norm_backward(const ModelConfig& config, const Affine& weights, const Affine& gradients, const Tensor& x,
                   const LayerNormStatistics& statistics, const Tensor& dy, const Tensor& dx, Write write,
                   const Tensor& workspace);
std::int64_t norm_workspace(const ModelConfig& config, std::int64_t rows);

}  // namespace surprisal
