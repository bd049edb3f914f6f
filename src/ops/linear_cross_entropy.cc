#include "ops/linear_cross_entropy.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/parallel.h"
#include "ops/gemm.h"
#include "ops/softmax_row.h"

namespace surprisal {
namespace {

// A chunk reads and writes all of dweight once, which costs about 6/rows of its products (spec: 8F/(6 c BW)):
// beyond 512 rows there is nothing left to gain. Multiples of 16 keep the products' inner dimension whole.
constexpr std::int64_t kMostRows = 512;

std::int64_t chunk_rows(std::int64_t workspace_elements, std::int64_t vocabulary) {
  return std::max<std::int64_t>(1, workspace_elements / vocabulary);
}

// Of the budget, what oneDNN's copies of operands take on two threads (measured: 14 to 16 MiB).
constexpr std::size_t kProductBytes = std::size_t{20} << 20;

// As many chunks as with `most` rows, of one size: a small last one would read and write all of dweight for
// few rows.
std::int64_t even_chunk(std::int64_t targets, std::int64_t most) {
  const std::int64_t chunks = std::max<std::int64_t>(1, (targets + most - 1) / most);
  const std::int64_t rows = (targets + chunks - 1) / chunks;
  return std::clamp<std::int64_t>((rows + 15) / 16 * 16, 1, most);
}

struct RowResult {
  float surprisal;
  std::int32_t predicted;
};

// 0 where there is none, as when the value is NaN.
std::int32_t first_of(const float* row, std::int64_t vocabulary, float value) {
  const float* found = std::find(row, row + vocabulary, value);
  return found == row + vocabulary ? 0 : static_cast<std::int32_t>(found - row);
}

// A row of logits becomes scale * (softmax - smoothed one-hot).
RowResult backward_row(float* row, std::int64_t vocabulary, std::int32_t target, float scale, float smoothing,
                       bool predict) {
  float maximum = row_max(row, vocabulary);
  std::int32_t predicted = predict ? first_of(row, vocabulary, maximum) : 0;
  double below = static_cast<double>(maximum) - row[target];
  double sum = exp_row(row, vocabulary, maximum);
  scale_row(row, vocabulary, static_cast<float>(scale / sum));
  if (smoothing > 0) {
    const float each = scale * smoothing / static_cast<float>(vocabulary);
    for (std::int64_t v = 0; v < vocabulary; ++v) row[v] -= each;
  }
  row[target] -= scale * (1 - smoothing);
  return {static_cast<float>(std::log(sum) + below), predicted};
}

RowResult forward_row(const float* row, std::int64_t vocabulary, std::int32_t target, bool predict) {
  float maximum = row_max(row, vocabulary);
  double below = static_cast<double>(maximum) - row[target];
  return {static_cast<float>(std::log(sum_exp_row(row, vocabulary, maximum)) + below),
          predict ? first_of(row, vocabulary, maximum) : 0};
}

void add_column_sums(const Matrix& logits, float* out) {
  parallel_ranges(logits.columns, 1024, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = 0; row < logits.rows; ++row) {
      const float* values = logits.data + row * logits.stride;
      for (std::int64_t column = begin; column < end; ++column) out[column] += values[column];
    }
  });
}

// Calls use(begin, end, logits) for chunk after chunk of rows, logits computed.
template <class Use>
void for_each_chunk(const CrossEntropyInput& input, const Tensor& workspace, Use&& use) {
  std::int64_t targets = input.hidden.shape[0], vocabulary = input.weight.shape[0];
  std::int64_t rows = even_chunk(targets, chunk_rows(workspace.elements(), vocabulary));
  for (std::int64_t begin = 0; begin < targets; begin += rows) {
    std::int64_t end = std::min(begin + rows, targets);
    Matrix logits{workspace.f32(), end - begin, vocabulary, vocabulary, false};
    gemm(matrix(input.hidden.rows(begin, end)), matrix(input.weight).transpose(), logits, Write::over,
         input.bias.f32());
    use(begin, end, logits);
  }
}

}  // namespace

std::int64_t cross_entropy_workspace(std::int64_t targets, std::int64_t vocabulary, std::size_t budget) {
  const std::size_t logits = budget - std::min(budget / 3, kProductBytes);
  std::int64_t rows =
      static_cast<std::int64_t>(logits / sizeof(float)) / std::max<std::int64_t>(vocabulary, 1);
  rows = std::min({rows >= 16 ? rows / 16 * 16 : rows, kMostRows, targets});
  return std::max<std::int64_t>(rows, 1) * vocabulary;
}

void linear_cross_entropy_forward(const CrossEntropyInput& input, std::span<float> surprisal,
                                  std::span<std::int32_t> predicted, const Tensor& workspace) {
  for_each_chunk(input, workspace, [&](std::int64_t begin, std::int64_t end, const Matrix& logits) {
    parallel_for(end - begin, [&](std::int64_t local, int) {
      std::size_t t = static_cast<std::size_t>(begin + local);
      RowResult result = forward_row(logits.data + local * logits.stride, logits.columns, input.target[t],
                                     !predicted.empty());
      surprisal[t] = result.surprisal;
      if (!predicted.empty()) predicted[t] = result.predicted;
    });
  });
}

void linear_cross_entropy(const CrossEntropyInput& input, const CrossEntropyGradients& gradients,
                          std::span<float> surprisal, std::span<std::int32_t> predicted,
                          const Tensor& workspace) {
  assert(surprisal.size() == input.target.size() && gradients.scale.size() == input.target.size());
  for_each_chunk(input, workspace, [&](std::int64_t begin, std::int64_t end, const Matrix& logits) {
    parallel_for(end - begin, [&](std::int64_t local, int) {
      std::size_t t = static_cast<std::size_t>(begin + local);
      RowResult result = backward_row(logits.data + local * logits.stride, logits.columns, input.target[t],
                                      gradients.scale[t], gradients.smoothing, !predicted.empty());
      surprisal[t] = result.surprisal;
      if (!predicted.empty()) predicted[t] = result.predicted;
    });
    gemm(logits, matrix(input.weight), matrix(gradients.dhidden.rows(begin, end)));
    if (gradients.dweight.data) {
      gemm(logits.transpose(), matrix(input.hidden.rows(begin, end)), matrix(gradients.dweight),
           begin == 0 ? gradients.write_dweight : Write::add, nullptr, gradients.dweight_scale);
    }
    if (gradients.dbias.data) add_column_sums(logits, gradients.dbias.f32());
  });
}

}  // namespace surprisal
