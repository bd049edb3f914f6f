#include "ops/rms_norm_cpu.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/rms_norm_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/vector_loop-inl.h"

// Sums over a row are kept in double: they cost little beside the memory, squares neither overflow nor
// vanish, and the error does not grow with the width.
HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE double sum_of_squares(std::int64_t size, const float* x) {
  DoubleVector total = hn::Zero(DoubleTag());
  for_each_as_double(
      size, [&](DoubleVector value) { total = hn::MulAdd(value, value, total); }, Operand{x});
  return sum_of_lanes(total);
}

void normalise_rows(const RmsNormForward& op, std::int64_t begin, std::int64_t end) {
  for (std::int64_t i = begin; i < end; ++i) {
    const float* x = op.x + i * op.width;
    const double square = sum_of_squares(op.width, x) / static_cast<double>(op.width);
    op.rstd[i] = static_cast<float>(1 / std::sqrt(square + op.epsilon));
    const FloatVector rstd = hn::Set(FloatTag(), op.rstd[i]);
    const auto scale = [&](FloatVector value, FloatVector weight) {
      return hn::Mul(hn::Mul(value, rstd), weight);
    };
    map_vectors(op.width, op.y + i * op.width, scale, x, op.weight);
  }
}

// average(g n) with g = dy * weight and n = x * rstd.
HWY_INLINE double average_slope(const RmsNormBackward& op, std::int64_t i) {
  DoubleVector products = hn::Zero(DoubleTag());
  const auto add = [&](DoubleVector x, DoubleVector dy, DoubleVector weight) {
    products = hn::MulAdd(hn::Mul(dy, weight), x, products);
  };
  for_each_as_double(op.width, add, Operand{op.x + i * op.width}, Operand{op.dy + i * op.width},
                     Operand{op.weight});
  return sum_of_lanes(products) / static_cast<double>(op.width) * static_cast<double>(op.rstd[i]);
}

// dx = rstd * (g - n * average(g n)).
void differentiate_row(const RmsNormBackward& op, std::int64_t i, float* dweight) {
  const FloatTag d;
  const float *x = op.x + i * op.width, *dy = op.dy + i * op.width;
  float* dx = op.dx + i * op.width;
  const FloatVector average = hn::Set(d, static_cast<float>(average_slope(op, i))),
                    rstd = hn::Set(d, op.rstd[i]);
  const auto gradient = [&](FloatVector value, FloatVector slope, FloatVector weight) {
    return hn::Mul(hn::NegMulAdd(hn::Mul(value, rstd), average, hn::Mul(slope, weight)), rstd);
  };
  const auto add_weight = [&](FloatVector sums, FloatVector value, FloatVector slope) {
    return hn::MulAdd(slope, hn::Mul(value, rstd), sums);
  };
  if (dweight) map_vectors(op.width, dweight, add_weight, dweight, x, dy);
  map_vectors(op.width, dx, op.write, gradient, x, dy, op.weight);
}

void differentiate_block(const RmsNormBackward& op, std::int64_t begin, std::int64_t end) {
  float* dweight = op.partial ? op.partial + begin / kRmsNormBlock * op.width : nullptr;
  std::fill_n(dweight, dweight ? op.width : 0, 0.0f);
  for (std::int64_t i = begin; i < end; ++i) differentiate_row(op, i, dweight);
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

constexpr std::int64_t kForwardElements = 16384;  // the least that is worth a thread
constexpr std::int64_t kColumns = 256;

}  // namespace

void rms_norm_forward_cpu(const RmsNormForward& op, std::int64_t rows) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(normalise_rows);
  const std::int64_t block = std::max<std::int64_t>(1, kForwardElements / op.width);
  parallel_ranges(rows, block, [&](std::int64_t begin, std::int64_t end, int) { kernel(op, begin, end); });
}

void rms_norm_backward_cpu(const RmsNormBackward& op, std::int64_t rows, float* dweight) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(differentiate_block);
  parallel_ranges(rows, kRmsNormBlock,
                  [&](std::int64_t begin, std::int64_t end, int) { kernel(op, begin, end); });
  if (!op.partial) return;
  const std::int64_t blocks = (rows + kRmsNormBlock - 1) / kRmsNormBlock;
  parallel_ranges(op.width, kColumns, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      const float* partial = op.partial + block * op.width;
      for (std::int64_t column = begin; column < end; ++column) dweight[column] += partial[column];
    }
  });
}

}  // namespace surprisal
#endif
