#include "ops/softmax_row.h"

#include <algorithm>
#include <cmath>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/softmax_row.cc"
// foreach_target.h compiles this file once a target and must come first.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;

std::int64_t LaneCount() {
  return static_cast<std::int64_t>(hn::Lanes(Floats()));
}

float RowMax(const float* values, std::int64_t count) {
  const Floats d;
  const std::int64_t lanes = LaneCount();
  float most = -std::numeric_limits<float>::infinity();
  std::int64_t index = 0;
  if (count >= lanes) {
    auto maximum = hn::LoadU(d, values);
    for (index = lanes; index + lanes <= count; index += lanes) {
      maximum = hn::Max(maximum, hn::LoadU(d, values + index));
    }
    most = hn::GetLane(hn::MaxOfLanes(d, maximum));
  }
  for (; index < count; ++index) most = std::max(most, values[index]);
  return most;
}

// Highway's Exp gives 0 for what is not a number.
HWY_INLINE hn::Vec<Floats> ExpOrNan(hn::Vec<Floats> x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(Floats(), x));
}

// One piece of at most 1024 values: few enough that a sum in f32 loses nothing that matters.
template <bool kStore>
float ExpPiece(float* values, std::int64_t count, float shift) {
  const Floats d;
  const std::int64_t lanes = LaneCount();
  const auto minus = hn::Set(d, shift);
  auto sums = hn::Zero(d);
  std::int64_t index = 0;
  for (; index + lanes <= count; index += lanes) {
    auto value = ExpOrNan(hn::Sub(hn::LoadU(d, values + index), minus));
    if (kStore) hn::StoreU(value, d, values + index);
    sums = hn::Add(sums, value);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; index < count; ++index) {
    float value = std::exp(values[index] - shift);
    if (kStore) values[index] = value;
    sum += value;
  }
  return sum;
}

template <bool kStore>
double ExpPieces(float* values, std::int64_t count, float shift) {
  constexpr std::int64_t kPiece = 1024;
  double sum = 0;
  for (std::int64_t begin = 0; begin < count; begin += kPiece) {
    sum += ExpPiece<kStore>(values + begin, std::min(kPiece, count - begin), shift);
  }
  return sum;
}

double ExpRow(float* values, std::int64_t count, float shift) {
  return ExpPieces<true>(values, count, shift);
}

double SumExpRow(const float* values, std::int64_t count, float shift) {
  return ExpPieces<false>(const_cast<float*>(values), count, shift);
}

void ScaleRow(float* values, std::int64_t count, float factor) {
  const Floats d;
  const std::int64_t lanes = LaneCount();
  const auto factors = hn::Set(d, factor);
  std::int64_t index = 0;
  for (; index + lanes <= count; index += lanes) {
    hn::StoreU(hn::Mul(hn::LoadU(d, values + index), factors), d, values + index);
  }
  for (; index < count; ++index) values[index] *= factor;
}

void SoftmaxGradientRow(const float* probability, float* gradient, std::int64_t count, float mean,
                        float scale) {
  const Floats d;
  const std::int64_t lanes = LaneCount();
  const auto means = hn::Set(d, mean), scales = hn::Set(d, scale);
  std::int64_t index = 0;
  for (; index + lanes <= count; index += lanes) {
    auto value = hn::Mul(hn::LoadU(d, probability + index), hn::Sub(hn::LoadU(d, gradient + index), means));
    hn::StoreU(hn::Mul(value, scales), d, gradient + index);
  }
  for (; index < count; ++index) gradient[index] = probability[index] * (gradient[index] - mean) * scale;
}

}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
HWY_EXPORT(RowMax);
HWY_EXPORT(ExpRow);
HWY_EXPORT(SumExpRow);
HWY_EXPORT(ScaleRow);
HWY_EXPORT(SoftmaxGradientRow);

float row_max(const float* values, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(RowMax)(values, count);
}
double exp_row(float* values, std::int64_t count, float shift) {
  return HWY_DYNAMIC_DISPATCH(ExpRow)(values, count, shift);
}
double sum_exp_row(const float* values, std::int64_t count, float shift) {
  return HWY_DYNAMIC_DISPATCH(SumExpRow)(values, count, shift);
}
void scale_row(float* values, std::int64_t count, float factor) {
  HWY_DYNAMIC_DISPATCH(ScaleRow)(values, count, factor);
}
void softmax_gradient_row(const float* probability, float* gradient, std::int64_t count, float mean,
                          float scale) {
  HWY_DYNAMIC_DISPATCH(SoftmaxGradientRow)(probability, gradient, count, mean, scale);
}

}  // namespace surprisal
#endif  // HWY_ONCE
