#include "ops/layer_norm.h"

#include <cassert>

#include "ops/layer_norm_cpu.h"

namespace surprisal {
namespace {

[[maybe_unused]] bool is_f32(const Tensor& tensor, Shape shape) {
  return tensor.dtype == Dtype::f32 && tensor.shape == shape;
}

[[maybe_unused]] bool is_vector(const Tensor& tensor, std::int64_t size) {
  return is_f32(tensor, {size});
}

}  // namespace

void layer_norm_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon,
                        const Tensor& y, const LayerNormStatistics& statistics) {
  assert(x.shape.rank() == 2 && is_f32(x, x.shape) && is_f32(y, x.shape) && epsilon > 0);
  const std::int64_t rows = x.shape[0], width = x.shape[1];
  assert(width > 0 && is_vector(weight, width) && is_vector(bias, width));
  assert(is_vector(statistics.mean, rows) && is_vector(statistics.rstd, rows));
  layer_norm_forward_cpu({.width = width,
                          .x = x.f32(),
                          .weight = weight.f32(),
                          .bias = bias.f32(),
                          .epsilon = epsilon,
                          .y = y.f32(),
                          .mean = statistics.mean.f32(),
                          .rstd = statistics.rstd.f32()},
                         rows);
}

void layer_norm_backward(const Tensor& x, const Tensor& weight, const LayerNormStatistics& statistics,
                         const Tensor& dy, const Tensor& dx, Write write, const Tensor& dweight,
                         const Tensor& dbias, const Tensor& workspace) {
  assert(x.shape.rank() == 2 && is_f32(x, x.shape) && is_f32(dy, x.shape) && is_f32(dx, x.shape));
  const std::int64_t rows = x.shape[0], width = x.shape[1];
  assert(width > 0 && is_vector(weight, width));
  assert((!dweight.data || is_vector(dweight, width)) && (!dbias.data || is_vector(dbias, width)));
  assert(is_vector(statistics.mean, rows) && is_vector(statistics.rstd, rows));
  assert(workspace.dtype == Dtype::f32 && workspace.elements() >= layer_norm_workspace(rows, width));
  layer_norm_backward_cpu({.width = width,
                           .x = x.f32(),
                           .weight = weight.f32(),
                           .mean = statistics.mean.f32(),
                           .rstd = statistics.rstd.f32(),
                           .dy = dy.f32(),
                           .dx = dx.f32(),
                           .write = write,
                           .partial = dweight.data || dbias.data ? workspace.f32() : nullptr},
                          rows, dweight.f32(), dbias.f32());
}

std::int64_t layer_norm_workspace(std::int64_t rows, std::int64_t width) {
  return (rows + kLayerNormBlock - 1) / kLayerNormBlock * 2 * width;
}

}  // namespace surprisal
