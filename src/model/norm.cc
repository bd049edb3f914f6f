#include "model/norm.h"

#include "ops/rms_norm.h"

namespace surprisal {

void norm_forward(const ModelConfig& config, const Affine& weights, const Tensor& x, const Tensor& y,
                  const LayerNormStatistics& statistics) {
  if (config.norm_kind == NormKind::rms) {
    rms_norm_forward(x, weights.weight, config.layer_norm_eps, y, statistics.rstd);
  } else {
    layer_norm_forward(x, weights.weight, weights.bias, config.layer_norm_eps, y, statistics);
  }
}

void norm_backward(const ModelConfig& config, const Affine& weights, const Affine& gradients, const Tensor& x,
                   const LayerNormStatistics& statistics, const Tensor& dy, const Tensor& dx, Write write,
                   const Tensor& workspace) {
  if (config.norm_kind == NormKind::rms) {
    rms_norm_backward(x, weights.weight, statistics.rstd, dy, dx, write, gradients.weight, workspace);
  } else {
    layer_norm_backward(x, weights.weight, statistics, dy, dx, write, gradients.weight, gradients.bias,
                        workspace);
  }
}

std::int64_t norm_workspace(const ModelConfig& config, std::int64_t rows) {
  return config.norm_kind == NormKind::rms ? rms_norm_workspace(rows, config.hidden_size)
                                           : layer_norm_workspace(rows, config.hidden_size);
}

}  // namespace surprisal
