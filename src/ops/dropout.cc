#include "ops/dropout.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/random.h"
#include "ops/dropout_cpu.h"

namespace surprisal {
namespace {

// The counter of Random's numbers with `place` as the block, so that dropout shares no numbers with another
// purpose.
std::uint64_t row_key(const DropoutKey& key, std::uint32_t epoch) {
  const std::uint32_t purpose = static_cast<std::uint32_t>(Purpose::dropout) << 24 | (epoch & 0xFFFFFF);
  const PhiloxBlock block = philox(key.seed, {key.place, purpose, 0, 0});
  return std::uint64_t{block[1]} << 32 | block[0];
}

[[maybe_unused]] bool is_f32_matrix(const Tensor& tensor) {
  return tensor.dtype == Dtype::f32 && tensor.shape.rank() == 2;
}

void run(const Tensor& x, const Residual& residual, std::span<const DropoutRow> rows, double p,
         const Tensor& y) {
  assert(p >= 0 && p < 1);
  assert(is_f32_matrix(x) && y.dtype == Dtype::f32 && y.shape == x.shape);
  assert(p == 0 || x.shape[0] == static_cast<std::int64_t>(rows.size()));
  dropout_cpu(rows, x.shape[0], x.shape[1], dropout_threshold(p), static_cast<float>(1 / (1 - p)), x.f32(),
              residual, y.f32());
}

}  // namespace

void dropout_rows(const Stream& stream, const DropoutKey& key, std::span<DropoutRow> rows) {
  assert(rows.size() == static_cast<std::size_t>(stream.size()));
  for (const Sequence& sequence : stream.sequence) {
    const std::uint64_t shared = row_key(key, sequence.epoch);
    for (std::int32_t i = sequence.begin; i < sequence.end; ++i) {
      rows[static_cast<std::size_t>(i)] = {shared, sequence.sample,
                                           static_cast<std::uint32_t>(i - sequence.begin)};
    }
  }
}

std::uint32_t dropout_number(const DropoutRow& row, std::uint32_t index) {
  return philox(row.key, {index / 4, row.row, static_cast<std::uint32_t>(row.sample),
                          static_cast<std::uint32_t>(row.sample >> 32)})[index % 4];
}

std::uint32_t dropout_threshold(double p) {
  return static_cast<std::uint32_t>(std::clamp(std::round(p * 0x1p32), 0.0, 0x1p32 - 1));
}

void dropout_factors(const DropoutRow& row, std::uint32_t first, std::int64_t count, double p,
                     float* factors) {
  assert(p >= 0 && p < 1);
  assert(count <= 0 || static_cast<std::uint64_t>(first) + static_cast<std::uint64_t>(count) <= 1ull << 32);
  dropout_factors_cpu(row, first, count, dropout_threshold(p), static_cast<float>(1 / (1 - p)), factors);
}

void dropout_forward(const Tensor& x, const Tensor& residual, std::span<const DropoutRow> rows, double p,
                     const Tensor& y, float residual_scale) {
  assert(!residual.data || (residual.dtype == Dtype::f32 && residual.shape == x.shape));
  run(x, {residual.f32(), residual_scale}, rows, p, y);
}

void dropout_backward(const Tensor& dy, std::span<const DropoutRow> rows, double p, const Tensor& dx) {
  run(dy, {nullptr, 0}, rows, p, dx);
}

}  // namespace surprisal
