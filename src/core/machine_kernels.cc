#include "core/machine_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/machine_kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace surprisal::detail::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Two pipes with a latency of four need eight in flight; twelve also fit in AVX2's sixteen registers.
constexpr std::int64_t kAccumulators = 12;

const char* SimdName() {
  return hwy::TargetName(HWY_TARGET);
}

float RunFmaLoop(std::int64_t iterations) {
  const hn::ScalableTag<float> d;
  volatile float factor_source = 0.999f,
                 addend_source = 1e-3f;  // unknown to the compiler, fixed point 1: never subnormal
  const auto factor = hn::Set(d, factor_source), addend = hn::Set(d, addend_source);
  auto a0 = hn::Iota(d, 1.0f), a1 = hn::Add(a0, addend), a2 = hn::Add(a1, addend), a3 = hn::Add(a2, addend);
  auto a4 = hn::Add(a3, addend), a5 = hn::Add(a4, addend), a6 = hn::Add(a5, addend), a7 = hn::Add(a6, addend);
  auto a8 = hn::Add(a7, addend), a9 = hn::Add(a8, addend), a10 = hn::Add(a9, addend),
       a11 = hn::Add(a10, addend);
  for (std::int64_t i = 0; i < iterations; ++i) {
    a0 = hn::MulAdd(a0, factor, addend), a1 = hn::MulAdd(a1, factor, addend);
    a2 = hn::MulAdd(a2, factor, addend), a3 = hn::MulAdd(a3, factor, addend);
    a4 = hn::MulAdd(a4, factor, addend), a5 = hn::MulAdd(a5, factor, addend);
    a6 = hn::MulAdd(a6, factor, addend), a7 = hn::MulAdd(a7, factor, addend);
    a8 = hn::MulAdd(a8, factor, addend), a9 = hn::MulAdd(a9, factor, addend);
    a10 = hn::MulAdd(a10, factor, addend), a11 = hn::MulAdd(a11, factor, addend);
  }
  auto sum03 = hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), sum47 = hn::Add(hn::Add(a4, a5), hn::Add(a6, a7));
  auto sum811 = hn::Add(hn::Add(a8, a9), hn::Add(a10, a11));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(sum03, hn::Add(sum47, sum811))));
}

double FmaLoopFlops(std::int64_t iterations) {
  const hn::ScalableTag<float> d;
  return static_cast<double>(iterations) * static_cast<double>(kAccumulators) * 2 *
         static_cast<double>(hn::Lanes(d));
}

// REQUIRES count to be a multiple of four vectors.
float SumFloats(const float* HWY_RESTRICT values, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  for (std::int64_t i = 0; i < count; i += 4 * lanes) {
    s0 = hn::Add(s0, hn::Load(d, values + i)), s1 = hn::Add(s1, hn::Load(d, values + i + lanes));
    s2 = hn::Add(s2, hn::Load(d, values + i + 2 * lanes)),
    s3 = hn::Add(s3, hn::Load(d, values + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

}  // namespace surprisal::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal::detail {

HWY_EXPORT(SimdName);
HWY_EXPORT(RunFmaLoop);
HWY_EXPORT(FmaLoopFlops);
HWY_EXPORT(SumFloats);

std::string simd_name() {
  return HWY_DYNAMIC_DISPATCH(SimdName)();
}
float run_fma_loop(std::int64_t iterations) {
  return HWY_DYNAMIC_DISPATCH(RunFmaLoop)(iterations);
}
double fma_loop_flops(std::int64_t iterations) {
  return HWY_DYNAMIC_DISPATCH(FmaLoopFlops)(iterations);
}
float sum_floats(const float* values, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(SumFloats)(values, count);
}

}  // namespace surprisal::detail
#endif
