#include "ops/gated_activation.h"

#include <cassert>

#include "ops/gated_activation_cpu.h"

namespace surprisal {
namespace {

[[maybe_unused]] bool is_gated(const Tensor& tensor) {
  return tensor.dtype == Dtype::f32 && tensor.shape.rank() == 2 && tensor.shape[1] % 2 == 0;
}

}  // namespace

void gated_activation_forward(Activation kind, const Tensor& x, const Tensor& y) {
  assert(is_gated(x) && y.dtype == Dtype::f32 && y.shape == (Shape{x.shape[0], x.shape[1] / 2}));
  gated_activation_forward_cpu(kind, x.shape[0], x.shape[1] / 2, x.f32(), y.f32());
}

void gated_activation_backward(Activation kind, const Tensor& x, const Tensor& dx) {
  assert(is_gated(x) && dx.dtype == Dtype::f32 && dx.shape == x.shape);
  gated_activation_backward_cpu(kind, x.shape[0], x.shape[1] / 2, x.f32(), dx.f32());
}

}  // namespace surprisal
