#include "ops/activation_cpu.h"

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/activation_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/activation-inl.h"
#include "ops/vector_loop-inl.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

template <class Function>
void forward_of(std::int64_t size, const float* x, float* y) {
  map_vectors(
      size, y, [](FloatVector value) { return Function::value(value); }, x);
}

template <class Function>
void backward_of(std::int64_t size, const float* x, const float* dy, float* dx) {
  map_vectors(
      size, dx,
      [](FloatVector value, FloatVector gradient) { return hn::Mul(gradient, Function::derivative(value)); },
      x, dy);
}

void activate(Activation kind, std::int64_t size, const float* x, float* y) {
  switch (kind) {
    case Activation::gelu:
      return forward_of<Gelu>(size, x, y);
    case Activation::gelu_tanh:
      return forward_of<GeluTanh>(size, x, y);
    case Activation::quick_gelu:
      return forward_of<QuickGelu>(size, x, y);
    case Activation::relu:
      return forward_of<Relu>(size, x, y);
    case Activation::relu2:
      return forward_of<Relu2>(size, x, y);
    case Activation::sigmoid:
      return forward_of<SigmoidOf>(size, x, y);
    case Activation::silu:
      return forward_of<Silu>(size, x, y);
    case Activation::tanh:
      return forward_of<Tanh>(size, x, y);
  }
}

void differentiate(Activation kind, std::int64_t size, const float* x, const float* dy, float* dx) {
  switch (kind) {
    case Activation::gelu:
      return backward_of<Gelu>(size, x, dy, dx);
    case Activation::gelu_tanh:
      return backward_of<GeluTanh>(size, x, dy, dx);
    case Activation::quick_gelu:
      return backward_of<QuickGelu>(size, x, dy, dx);
    case Activation::relu:
      return backward_of<Relu>(size, x, dy, dx);
    case Activation::relu2:
      return backward_of<Relu2>(size, x, dy, dx);
    case Activation::sigmoid:
      return backward_of<SigmoidOf>(size, x, dy, dx);
    case Activation::silu:
      return backward_of<Silu>(size, x, dy, dx);
    case Activation::tanh:
      return backward_of<Tanh>(size, x, dy, dx);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {

HWY_EXPORT(activate);
HWY_EXPORT(differentiate);

// 64 KiB of x: large against the cost of starting a block, small against a core's share of the last cache.
constexpr std::int64_t kBlock = 16384;

}  // namespace

void activation_forward_cpu(Activation kind, std::int64_t size, const float* x, float* y) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(activate);
  parallel_ranges(size, kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    kernel(kind, end - begin, x + begin, y + begin);
  });
}

void activation_backward_cpu(Activation kind, std::int64_t size, const float* x, const float* dy, float* dx) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(differentiate);
  parallel_ranges(size, kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    kernel(kind, end - begin, x + begin, dy + begin, dx + begin);
  });
}

}  // namespace surprisal
#endif
