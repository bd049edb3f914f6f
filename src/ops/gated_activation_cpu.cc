#include "ops/gated_activation_cpu.h"

#include <algorithm>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gated_activation_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/activation-inl.h"
#include "ops/vector_loop-inl.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

template <class Function>
void forward_of(std::int64_t rows, std::int64_t width, const float* x, float* y) {
  const auto gate = [](FloatVector linear, FloatVector gated) {
    return hn::Mul(linear, Function::value(gated));
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* linear = x + row * 2 * width;
    map_vectors(width, y + row * width, gate, linear, linear + width);
  }
}

struct Halves {
  FloatVector linear, gate;
};

template <class Function>
HWY_INLINE Halves derivatives(FloatVector dy, FloatVector linear, FloatVector gate) {
  return {hn::Mul(dy, Function::value(gate)), hn::Mul(hn::Mul(dy, linear), Function::derivative(gate))};
}

// Both halves at once: value and derivative share their exponential.
template <class Function>
void backward_row(std::int64_t width, const float* x, float* dx) {
  const FloatTag d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= width; i += lanes) {
    const Halves halves =
        derivatives<Function>(hn::LoadU(d, dx + i), hn::LoadU(d, x + i), hn::LoadU(d, x + width + i));
    hn::StoreU(halves.linear, d, dx + i);
    hn::StoreU(halves.gate, d, dx + width + i);
  }
  if (i == width) return;
  const std::int64_t rest = width - i;
  const Halves halves = derivatives<Function>(load_tail(d, dx + i, rest), load_tail(d, x + i, rest),
                                              load_tail(d, x + width + i, rest));
  store_tail(halves.linear, d, dx + i, rest);
  store_tail(halves.gate, d, dx + width + i, rest);
}

void activate(Activation kind, std::int64_t rows, std::int64_t width, const float* x, float* y) {
  with_activation(kind, [&](auto function) { forward_of<decltype(function)>(rows, width, x, y); });
}

void differentiate(Activation kind, std::int64_t rows, std::int64_t width, const float* x, float* dx) {
  with_activation(kind, [&](auto function) {
    for (std::int64_t row = 0; row < rows; ++row) {
      backward_row<decltype(function)>(width, x + row * 2 * width, dx + row * 2 * width);
    }
  });
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

// Of x, as in activation_cpu.cc.
std::int64_t rows_of_block(std::int64_t width) {
  constexpr std::int64_t kBlock = 16384;
  return std::max<std::int64_t>(1, kBlock / std::max<std::int64_t>(1, 2 * width));
}

}  // namespace

void gated_activation_forward_cpu(Activation kind, std::int64_t rows, std::int64_t width, const float* x,
                                  float* y) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(activate);
  parallel_ranges(rows, rows_of_block(width), [&](std::int64_t begin, std::int64_t end, int) {
    kernel(kind, end - begin, width, x + begin * 2 * width, y + begin * width);
  });
}

void gated_activation_backward_cpu(Activation kind, std::int64_t rows, std::int64_t width, const float* x,
                                   float* dx) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(differentiate);
  parallel_ranges(rows, rows_of_block(width), [&](std::int64_t begin, std::int64_t end, int) {
    kernel(kind, end - begin, width, x + begin * 2 * width, dx + begin * 2 * width);
  });
}

}  // namespace surprisal
#endif
