#include "ops/adamw_cpu.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/adamw_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/vector_loop-inl.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

struct Element {
  FloatVector weight, m, v;
};

class Update {
 public:
  explicit HWY_INLINE Update(const AdamWCoefficients& step)
      : gradient_scale_(set(step.gradient_scale)),
        beta1_(set(step.beta1)),
        rest1_(set(step.rest1)),
        beta2_(set(step.beta2)),
        rest2_(set(step.rest2)),
        keep_(set(step.keep)),
        rate_(set(step.rate)),
        root_scale_(set(step.root_scale)),
        epsilon_(set(step.epsilon)) {}

  HWY_INLINE void operator()(Element& element, FloatVector gradient) const {
    const FloatVector g = hn::Mul(gradient, gradient_scale_);
    element.m = hn::MulAdd(element.m, beta1_, hn::Mul(g, rest1_));
    element.v = hn::MulAdd(element.v, beta2_, hn::Mul(hn::Mul(g, g), rest2_));
    const FloatVector divisor = hn::MulAdd(hn::Sqrt(element.v), root_scale_, epsilon_);
    const FloatVector change = hn::Mul(rate_, hn::Div(element.m, divisor));
    element.weight = hn::MulSub(element.weight, keep_, change);
  }

 private:
  static HWY_INLINE FloatVector set(float value) { return hn::Set(FloatTag(), value); }

  FloatVector gradient_scale_, beta1_, rest1_, beta2_, rest2_, keep_, rate_, root_scale_, epsilon_;
};

void update(const AdamWCoefficients& step, std::int64_t size, float* weight, const float* gradient, float* m,
            float* v) {
  const FloatTag d;
  const Update apply(step);
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    Element element = {hn::LoadU(d, weight + i), hn::LoadU(d, m + i), hn::LoadU(d, v + i)};
    apply(element, hn::LoadU(d, gradient + i));
    hn::StoreU(element.weight, d, weight + i);
    hn::StoreU(element.m, d, m + i);
    hn::StoreU(element.v, d, v + i);
  }
  if (const std::int64_t rest = size - i; rest > 0) {
    Element element = {load_tail(d, weight + i, rest), load_tail(d, m + i, rest), load_tail(d, v + i, rest)};
    apply(element, load_tail(d, gradient + i, rest));
    store_tail(element.weight, d, weight + i, rest);
    store_tail(element.m, d, m + i, rest);
    store_tail(element.v, d, v + i, rest);
  }
}

double sum_of_squares(std::int64_t size, const float* values) {
  // Two sums: one alone would wait for the addition before.
  DoubleVector even = hn::Zero(DoubleTag()), odd = even;
  const auto add = [&](DoubleVector value) {
    const DoubleVector sum = hn::MulAdd(value, value, even);
    even = odd;
    odd = sum;
  };
  for_each_as_double(size, add, Operand{values});
  return sum_of_lanes(hn::Add(even, odd));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {

HWY_EXPORT(update);
HWY_EXPORT(sum_of_squares);

constexpr std::int64_t kBlock = 16384;
constexpr std::int64_t kMaxBlocks = 1024;  // of a norm: its partial sums lie on the stack

}  // namespace

void adamw_cpu(const AdamWCoefficients& step, std::int64_t size, float* weight, const float* gradient,
               float* m, float* v) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(update);
  parallel_ranges(size, kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    kernel(step, end - begin, weight + begin, gradient + begin, m + begin, v + begin);
  });
}

double squared_norm_cpu(std::int64_t size, const float* values) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(sum_of_squares);
  const std::int64_t block = std::max(kBlock, (size + kMaxBlocks - 1) / kMaxBlocks);
  std::array<double, kMaxBlocks> partial{};
  parallel_ranges(size, block, [&](std::int64_t begin, std::int64_t end, int) {
    partial[static_cast<std::size_t>(begin / block)] = kernel(end - begin, values + begin);
  });
  return std::accumulate(partial.begin(), partial.end(), 0.0);
}

}  // namespace surprisal
#endif
