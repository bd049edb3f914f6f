#include "ops/rms_norm.h"

#include <cassert>

#include "ops/rms_norm_cpu.h"

namespace surprisal {
namespace {

[[maybe_unused]] bool is_f32(const Tensor& tensor, Shape shape) {
  return tensor.dtype == Dtype::f32 && tensor.shape == shape;
}

}  // namespace

void rms_norm_forward(const Tensor& x, const Tensor& weight, double epsilon, const Tensor& y,
                      const Tensor& rstd) {
  assert(x.shape.rank() == 2 && is_f32(x, x.shape) && is_f32(y, x.shape) && epsilon > 0);
  const std::int64_t rows = x.shape[0], width = x.shape[1];
  assert(width > 0 && is_f32(weight, {width}) && is_f32(rstd, {rows}));
  rms_norm_forward_cpu({.width = width,
                        .x = x.f32(),
                        .weight = weight.f32(),
                        .epsilon = epsilon,
                        .y = y.f32(),
                        .rstd = rstd.f32()},
                       rows);
}

void rms_norm_backward(const Tensor& x, const Tensor& weight, const Tensor& rstd, const Tensor& dy,
                       const Tensor& dx, Write write, const Tensor& dweight, const Tensor& workspace) {
  assert(x.shape.rank() == 2 && is_f32(x, x.shape) && is_f32(dy, x.shape) && is_f32(dx, x.shape));
  const std::int64_t rows = x.shape[0], width = x.shape[1];
  assert(width > 0 && is_f32(weight, {width}) && is_f32(rstd, {rows}));
  assert(!dweight.data || is_f32(dweight, {width}));
  assert(workspace.dtype == Dtype::f32 && workspace.elements() >= rms_norm_workspace(rows, width));
  rms_norm_backward_cpu({.width = width,
                         .x = x.f32(),
                         .weight = weight.f32(),
                         .rstd = rstd.f32(),
                         .dy = dy.f32(),
                         .dx = dx.f32(),
                         .write = write,
                         .partial = dweight.data ? workspace.f32() : nullptr},
                        rows, dweight.f32());
}

std::int64_t rms_norm_workspace(std::int64_t rows, std::int64_t width) {
  return (rows + kRmsNormBlock - 1) / kRmsNormBlock * width;
}

}  // namespace surprisal
