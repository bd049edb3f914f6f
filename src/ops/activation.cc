#include "ops/activation.h"

#include <cassert>

#include "ops/activation_cpu.h"

namespace surprisal {
namespace {

[[maybe_unused]] bool same_f32(const Tensor& a, const Tensor& b) {
  return a.dtype == Dtype::f32 && b.dtype == Dtype::f32 && a.shape == b.shape;
}

}  // namespace

void activation_forward(Activation kind, const Tensor& x, const Tensor& y) {
  assert(same_f32(x, y));
  activation_forward_cpu(kind, x.elements(), x.f32(), y.f32());
}

void activation_backward(Activation kind, const Tensor& x, const Tensor& dy, const Tensor& dx) {
  assert(same_f32(x, dy) && same_f32(x, dx));
  activation_backward_cpu(kind, x.elements(), x.f32(), dy.f32(), dx.f32());
}

}  // namespace surprisal
