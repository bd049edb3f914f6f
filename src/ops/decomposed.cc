#include "ops/decomposed.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "core/parallel.h"

namespace surprisal {
namespace {

constexpr std::int64_t kNormRows = 16, kRows = 64, kColumns = 64;

// Calls use(row of y, row of x) for every row, on all threads.
template <class Use>
void for_each_row(const Matrix& y, const Tensor& x, Use&& use) {
  assert(x.shape[0] == y.rows && x.shape[1] == y.columns && !y.transposed);
  parallel_ranges(y.rows, kRows, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row) use(y.data + row * y.stride, x.f32() + row * y.columns);
  });
}

}  // namespace

void adapted_row_norms(const Tensor& weight, const LowRank& branch, const Tensor& norm) {
  const std::int64_t rows = weight.shape[0], in = weight.shape[1];
  assert(branch.a.shape[1] == in && branch.b.shape[0] == rows && norm.elements() == rows);
  parallel_ranges(rows, kNormRows, [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> adapted(weight.f32() + begin * in, weight.f32() + end * in);
    gemm_block(matrix(branch.b).row_range(begin, end), matrix(branch.a),
               {adapted.data(), end - begin, in, in, false}, Write::add, branch.scale);
    for (std::int64_t row = begin; row < end; ++row) {
      const float* values = adapted.data() + (row - begin) * in;
      double sum = 0;
      for (std::int64_t i = 0; i < in; ++i) sum += static_cast<double>(values[i]) * values[i];
      norm.f32()[row] = static_cast<float>(std::sqrt(sum));
    }
  });
}

void decomposed_forward(const Tensor& base, const Tensor& directed, const Tensor& magnitude,
                        const Tensor& norm, const Matrix& y) {
  const std::int64_t width = y.columns;
  const float *m = magnitude.f32(), *n = norm.f32(), *first = directed.f32();
  for_each_row(y, base, [&](float* out, const float* b) {
    const float* d = first + (b - base.f32());
    for (std::int64_t j = 0; j < width; ++j) out[j] += m[j] / n[j] * d[j] - b[j];
  });
}

void decomposed_backward(const Tensor& directed, const Tensor& magnitude, const Tensor& norm,
                         const Matrix& dy, const Tensor& dmagnitude, const Tensor& ddirected) {
  const std::int64_t width = dy.columns;
  const float *m = magnitude.f32(), *n = norm.f32();
  for_each_row(dy, ddirected, [&](float* slope, float* out) {
    for (std::int64_t j = 0; j < width; ++j) out[j] = m[j] / n[j] * slope[j];
  });
  // A column is one thread's, its rows in order.
  parallel_ranges(width, kColumns, [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<double> sums(static_cast<std::size_t>(end - begin), 0);
    for (std::int64_t row = 0; row < dy.rows; ++row) {
      const float *slope = dy.data + row * dy.stride, *d = directed.f32() + row * width;
      for (std::int64_t j = begin; j < end; ++j) {
        sums[static_cast<std::size_t>(j - begin)] += static_cast<double>(slope[j]) * d[j];
      }
    }
    for (std::int64_t j = begin; j < end; ++j) {
      dmagnitude.f32()[j] += static_cast<float>(sums[static_cast<std::size_t>(j - begin)] / n[j]);
    }
  });
}

void decomposed_base_gradient(const Tensor& ddirected, const Matrix& dy, const Tensor& dbase) {
  const std::int64_t width = dy.columns;
  for_each_row(dy, dbase, [&](const float* slope, float* out) {
    const float* d = ddirected.f32() + (out - dbase.f32());
    for (std::int64_t j = 0; j < width; ++j) out[j] = d[j] - slope[j];
  });
}

}  // namespace surprisal
