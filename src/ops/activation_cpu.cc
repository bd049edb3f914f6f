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
  with_activation(kind, [&](auto function) { forward_of<decltype(function)>(size, x, y); });
}

void differentiate(Activation kind, std::int64_t size, const float* x, const float* dy, float* dx) {
  with_activation(kind, [&](auto function) { backward_of<decltype(function)>(size, x, dy, dx); });
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
