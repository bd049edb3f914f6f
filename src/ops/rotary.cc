#include "ops/rotary.h"

#include <cassert>
#include <cmath>

#include "core/parallel.h"
#include "ops/rotary_cpu.h"

namespace surprisal {
namespace {

constexpr std::int64_t kAngles = 1024;  // the least that is worth a thread

void rotate(const Tensor& table, std::int64_t heads, std::int64_t head_size, const HeadTensor& x, bool back) {
  assert(table.dtype == Dtype::f32 && table.shape.rank() == 2 && table.shape[0] == x.rows);
  assert(table.shape[1] % 2 == 0 && table.shape[1] <= head_size && heads * head_size <= x.stride);
  rotate_cpu({.rows = x.rows,
              .heads = heads,
              .head_size = head_size,
              .pairs = table.shape[1] / 2,
              .stride = x.stride,
              .table = table.f32(),
              .back = back,
              .x = x.data});
}

}  // namespace

std::vector<double> rotary_frequencies(std::int64_t size, double base) {
  std::vector<double> frequencies;
  for (std::int64_t pair = 0; pair < size / 2; ++pair) {
    frequencies.push_back(std::pow(base, -2.0 * static_cast<double>(pair) / static_cast<double>(size)));
  }
  return frequencies;
}

void rotary_table(std::span<const std::int32_t> position, std::span<const double> frequency, double magnitude,
                  const Tensor& table) {
  const auto rows = static_cast<std::int64_t>(position.size()),
             pairs = static_cast<std::int64_t>(frequency.size());
  assert(table.dtype == Dtype::f32 && table.shape == (Shape{rows, 2 * pairs}));
  parallel_ranges(rows, kAngles / (pairs + 1) + 1, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) {
      float* cosines = table.f32() + row * 2 * pairs;
      for (std::int64_t pair = 0; pair < pairs; ++pair) {
        const double angle =
            position[static_cast<std::size_t>(row)] * frequency[static_cast<std::size_t>(pair)];
        cosines[pair] = static_cast<float>(magnitude * std::cos(angle));
        cosines[pairs + pair] = static_cast<float>(magnitude * std::sin(angle));
      }
    }
  });
}

void rotary_forward(const Tensor& table, std::int64_t heads, std::int64_t head_size, const HeadTensor& x) {
  rotate(table, heads, head_size, x, false);
}

void rotary_backward(const Tensor& table, std::int64_t heads, std::int64_t head_size, const HeadTensor& dx) {
  rotate(table, heads, head_size, dx, true);
}

}  // namespace surprisal
