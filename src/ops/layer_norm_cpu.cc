#include "ops/layer_norm_cpu.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/layer_norm_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/vector_loop-inl.h"

// Sums over a row are kept in double: they cost little beside the memory, a sum of equal floats is then exact
// (so a row of equal elements gives exactly the bias), squares do not overflow, and the error does not grow
// with the width. The mean is carried as a sum of two floats, mean + rest, so that nothing is lost where it
// is large beside the deviations. The statistics keep the first part; the backward pass finds the second
// again.
HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE FloatVector broadcast(double value) {
  return hn::Set(FloatTag(), static_cast<float>(value));
}

HWY_INLINE double sum(std::int64_t size, const float* x) {
  DoubleVector total = hn::Zero(DoubleTag());
  for_each_as_double(
      size, [&](DoubleVector value) { total = hn::Add(total, value); }, Operand{x});
  return sum_of_lanes(total);
}

HWY_INLINE double sum_of_squared_deviations(std::int64_t size, const float* x, float centre) {
  const DoubleTag d;
  DoubleVector total = hn::Zero(d);
  const auto add = [&](DoubleVector value) {
    const DoubleVector deviation = hn::Sub(value, hn::Set(d, static_cast<double>(centre)));
    total = hn::MulAdd(deviation, deviation, total);
  };
  for_each_as_double(size, add, Operand{x, centre});
  return sum_of_lanes(total);
}

// (x - mean) * rstd with the mean in two parts.
struct Normalise {
  FloatVector mean, rest, rstd;

  HWY_INLINE Normalise(double first, double second, double scale)
      : mean(broadcast(first)), rest(broadcast(second)), rstd(broadcast(scale)) {}
  HWY_INLINE FloatVector operator()(FloatVector x) const {
    return hn::Mul(hn::Sub(hn::Sub(x, mean), rest), rstd);
  }
};

void normalise_rows(const LayerNormForward& op, std::int64_t begin, std::int64_t end) {
  const double width = static_cast<double>(op.width);
  for (std::int64_t i = begin; i < end; ++i) {
    const float* x = op.x + i * op.width;
    const double mean = sum(op.width, x) / width;
    op.mean[i] = static_cast<float>(mean);
    const double rest = mean - op.mean[i];
    const double variance = sum_of_squared_deviations(op.width, x, op.mean[i]) / width - rest * rest;
    op.rstd[i] = static_cast<float>(1 / std::sqrt(variance + op.epsilon));
    const Normalise normalise(op.mean[i], rest, op.rstd[i]);
    const auto scale = [&](FloatVector value, FloatVector weight, FloatVector bias) {
      return hn::MulAdd(normalise(value), weight, bias);
    };
    map_vectors(op.width, op.y + i * op.width, scale, x, op.weight, op.bias);
  }
}

// What the gradient of a row needs of all of it. With g = dy * weight, n = (x - mean) * rstd:
// dx = rstd * (g - average(g) - n * average(g n)).
struct RowAverages {
  double rest;  // of the mean
  double g;
  double gn;
};

HWY_INLINE RowAverages row_averages(const LayerNormBackward& op, std::int64_t i) {
  const DoubleTag d;
  DoubleVector total = hn::Zero(d), deviations = hn::Zero(d), products = hn::Zero(d);
  const auto add = [&](DoubleVector x, DoubleVector dy, DoubleVector weight) {
    const DoubleVector g = hn::Mul(dy, weight);
    const DoubleVector deviation = hn::Sub(x, hn::Set(d, static_cast<double>(op.mean[i])));
    total = hn::Add(total, g);
    deviations = hn::Add(deviations, deviation);
    products = hn::MulAdd(g, deviation, products);
  };
  for_each_as_double(op.width, add, Operand{op.x + i * op.width, op.mean[i]}, Operand{op.dy + i * op.width},
                     Operand{op.weight});
  const double width = static_cast<double>(op.width);
  const double rest = sum_of_lanes(deviations) / width, g = sum_of_lanes(total) / width;
  return {rest, g, (sum_of_lanes(products) / width - rest * g) * op.rstd[i]};
}

HWY_INLINE void add_to(std::int64_t size, float* sums, const float* dy) {
  map_vectors(
      size, sums, [](FloatVector a, FloatVector b) { return hn::Add(a, b); }, sums, dy);
}

void differentiate_row(const LayerNormBackward& op, std::int64_t i, float* dweight, float* dbias) {
  const float *x = op.x + i * op.width, *dy = op.dy + i * op.width;
  float* dx = op.dx + i * op.width;
  const RowAverages average = row_averages(op, i);
  const Normalise normalise(op.mean[i], average.rest, op.rstd[i]);
  const FloatVector g = broadcast(average.g), gn = broadcast(average.gn), rstd = broadcast(op.rstd[i]);
  const auto gradient = [&](FloatVector value, FloatVector slope, FloatVector weight) {
    const FloatVector centred = hn::Sub(hn::Mul(slope, weight), g);
    return hn::Mul(hn::NegMulAdd(normalise(value), gn, centred), rstd);
  };
  const auto add_weight = [&](FloatVector sums, FloatVector value, FloatVector slope) {
    return hn::MulAdd(slope, normalise(value), sums);
  };
  if (dweight) {
    map_vectors(op.width, dweight, add_weight, dweight, x, dy);
    add_to(op.width, dbias, dy);
  }
  map_vectors(op.width, dx, op.write, gradient, x, dy, op.weight);
}

void differentiate_block(const LayerNormBackward& op, std::int64_t begin, std::int64_t end) {
  float* dweight = op.partial ? op.partial + begin / kLayerNormBlock * 2 * op.width : nullptr;
  float* dbias = dweight ? dweight + op.width : nullptr;
  std::fill_n(dweight, dweight ? 2 * op.width : 0, 0.0f);
  for (std::int64_t i = begin; i < end; ++i) differentiate_row(op, i, dweight, dbias);
}

// sums[c] += the blocks' partial sums, in order.
void add_blocks(std::int64_t blocks, std::int64_t stride, std::int64_t columns, const float* partial,
                float* sums) {
  for (std::int64_t block = 0; block < blocks; ++block) add_to(columns, sums, partial + block * stride);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {

HWY_EXPORT(normalise_rows);
HWY_EXPORT(differentiate_block);
HWY_EXPORT(add_blocks);

constexpr std::int64_t kForwardElements = 16384;  // the least that is worth a thread
constexpr std::int64_t kColumns = 256;

}  // namespace

void layer_norm_forward_cpu(const LayerNormForward& op, std::int64_t rows) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(normalise_rows);
  const std::int64_t block = std::max<std::int64_t>(1, kForwardElements / op.width);
  parallel_ranges(rows, block, [&](std::int64_t begin, std::int64_t end, int) { kernel(op, begin, end); });
}

void layer_norm_backward_cpu(const LayerNormBackward& op, std::int64_t rows, float* dweight, float* dbias) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(differentiate_block);
  parallel_ranges(rows, kLayerNormBlock,
                  [&](std::int64_t begin, std::int64_t end, int) { kernel(op, begin, end); });
  if (!op.partial) return;
  const auto add = HWY_DYNAMIC_DISPATCH(add_blocks);
  const std::int64_t blocks = (rows + kLayerNormBlock - 1) / kLayerNormBlock;
  parallel_ranges(op.width, kColumns, [&](std::int64_t begin, std::int64_t end, int) {
    if (dweight) add(blocks, 2 * op.width, end - begin, op.partial + begin, dweight + begin);
    if (dbias) add(blocks, 2 * op.width, end - begin, op.partial + op.width + begin, dbias + begin);
  });
}

}  // namespace surprisal
#endif
