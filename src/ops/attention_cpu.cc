// Tiles of kRows query rows by kKeys keys. A task is one (group, key head): it owns the rows' outputs and the
// keys' gradients of its heads, so tasks share nothing and the order of every sum is fixed.
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/parallel.h"
#include "ops/attention.h"
#include "ops/gemm.h"
#include "ops/softmax_row.h"

namespace surprisal {
namespace {

constexpr std::int64_t kRows = 64;
constexpr std::int64_t kKeys = 256;
constexpr float kNothing = -std::numeric_limits<float>::infinity();

struct Tile {
  std::int64_t row_begin, row_end, key_begin, key_end;
  bool of_prefix = false;  // the keys are the prefix's
  std::int64_t rows() const { return row_end - row_begin; }
  std::int64_t keys() const { return key_end - key_begin; }
};

// One thread's scratch.
struct Scratch {
  float* scores;    // [kRows, kKeys]
  float* gradient;  // [kRows, kKeys]
  float* dropped;   // [kRows, kKeys] dropout factors
  float* maximum;   // [kRows]
  float* sum;       // [kRows]
};

struct Problem {
  const AttentionShape& shape;
  const AttentionPlan& plan;
  const AttentionDropout& dropout;
  const Tensor& workspace;

  std::int64_t scratch_size() const { return 3 * kRows * kKeys + 2 * kRows; }
  Scratch scratch(int thread) const {
    float* base = workspace.f32() + thread * scratch_size();
    return {base, base + kRows * kKeys, base + 2 * kRows * kKeys, base + 3 * kRows * kKeys,
            base + 3 * kRows * kKeys + kRows};
  }
  const Interval& visible(std::int64_t row) const { return plan.visible[static_cast<std::size_t>(row)]; }
};

Matrix head_rows(const HeadTensor& tensor, std::int64_t head, std::int64_t size, std::int64_t begin,
                 std::int64_t end) {
  return {tensor.data + begin * tensor.stride + head * size, end - begin, size, tensor.stride, false};
}

Matrix score_matrix(float* data, const Tile& tile) {
  return {data, tile.rows(), tile.keys(), kKeys, false};
}

// Calls use(tile) for every tile of rows [row_begin, row_end) that some row sees a key of, left to right.
template <class Use>
void for_each_key_tile(const Problem& problem, std::int64_t row_begin, std::int64_t row_end, Use&& use) {
  std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = 0;
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const Interval& seen = problem.visible(row);
    if (seen.begin >= seen.end) continue;
    low = std::min<std::int64_t>(low, seen.begin);
    high = std::max<std::int64_t>(high, seen.end);
  }
  for (std::int64_t key = low; key < high; key += kKeys) {
    Tile tile{row_begin, row_end, key, std::min(key + kKeys, high)};
    bool any = false;
    for (std::int64_t row = row_begin; row < row_end && !any; ++row) {
      const Interval& seen = problem.visible(row);
      any =
          std::max<std::int64_t>(seen.begin, tile.key_begin) < std::min<std::int64_t>(seen.end, tile.key_end);
    }
    if (any) use(tile);
  }
}

// The same for the tiles of a prefix of so many keys.
template <class Use>
void for_each_prefix_tile(std::int64_t keys, std::int64_t row_begin, std::int64_t row_end, Use&& use) {
  for (std::int64_t key = 0; key < keys; key += kKeys) {
    use(Tile{row_begin, row_end, key, std::min(key + kKeys, keys), true});
  }
}

// What row `row` sees of the tile, relative to the tile's first key; begin >= end: nothing.
struct Seen {
  std::int64_t begin, end;
};
Seen seen_in(const Problem& problem, const Tile& tile, std::int64_t row) {
  if (tile.of_prefix) return {0, tile.keys()};
  const Interval& interval = problem.visible(row);
  return {std::max<std::int64_t>(interval.begin - tile.key_begin, 0),
          std::min<std::int64_t>(interval.end, tile.key_end) - tile.key_begin};
}

void clear_outside(float* row, std::int64_t keys, const Seen& seen) {
  if (seen.begin >= seen.end) {
    std::fill_n(row, keys, 0.0f);
    return;
  }
  std::fill(row, row + seen.begin, 0.0f);
  std::fill(row + seen.end, row + keys, 0.0f);
}

// The factors of what row `row` sees of the tile: 0 or 1 / (1 - p).
void tile_factors(const Problem& problem, const Tile& tile, std::int64_t row, std::int64_t head,
                  const Seen& seen, float* factors) {
  DropoutRow identity = problem.dropout.rows[static_cast<std::size_t>(row)];
  identity.row ^= static_cast<std::uint32_t>(head) << 24;
  constexpr std::int64_t kPrefix = std::int64_t{1} << 31;
  const std::int64_t start =
      tile.of_prefix ? -kPrefix : problem.dropout.sequence_begin[static_cast<std::size_t>(row)];
  const std::int64_t first = tile.key_begin + seen.begin - start;
  assert(first >= 0);
  dropout_factors(identity, static_cast<std::uint32_t>(first), seen.end - seen.begin, problem.dropout.p,
                  factors + seen.begin);
}

void multiply(float* values, const float* factors, const Seen& seen) {
  for (std::int64_t key = seen.begin; key < seen.end; ++key) values[key] *= factors[key];
}

// Takes the tile's scores into the running softmax of its rows: rescales what `out` holds, leaves exp(score -
// maximum), dropped out, in the scratch.
void softmax_tile(const Problem& problem, const Tile& tile, std::int64_t head, const Scratch& scratch,
                  const Matrix& out) {
  for (std::int64_t row = tile.row_begin; row < tile.row_end; ++row) {
    std::int64_t local = row - tile.row_begin;
    float* scores = scratch.scores + local * kKeys;
    Seen seen = seen_in(problem, tile, row);
    clear_outside(scores, tile.keys(), seen);
    if (seen.begin >= seen.end) continue;
    std::int64_t count = seen.end - seen.begin;
    float before = scratch.maximum[local];
    float maximum = std::max(before, row_max(scores + seen.begin, count));
    float sum = static_cast<float>(exp_row(scores + seen.begin, count, maximum));
    float rescale = before == kNothing ? 0.0f : std::exp(before - maximum);
    scratch.sum[local] = scratch.sum[local] * rescale + sum;
    scratch.maximum[local] = maximum;
    if (rescale != 1.0f) {
      float* values = out.data + local * out.stride;
      for (std::int64_t column = 0; column < out.columns; ++column) values[column] *= rescale;
    }
    if (problem.dropout.p > 0) {
      tile_factors(problem, tile, row, head, seen, scratch.dropped + local * kKeys);
      multiply(scores, scratch.dropped + local * kKeys, seen);
    }
  }
}

void finish_rows(const Scratch& scratch, const Matrix& out, float* log_sum_exp) {
  for (std::int64_t row = 0; row < out.rows; ++row) {
    bool sees = scratch.sum[row] != 0;  // the largest score adds 1, and scores that are not numbers NaN
    log_sum_exp[row] = sees ? scratch.maximum[row] + std::log(scratch.sum[row]) : kNothing;
    float inverse = sees ? 1 / scratch.sum[row] : 0.0f;
    float* values = out.data + row * out.stride;
    for (std::int64_t column = 0; column < out.columns; ++column) values[column] *= inverse;
  }
}

// For every group and key head, and every query head that it serves: body(group, key_head, head, scratch).
template <class Body>
void for_each_head(const Problem& problem, Body&& body) {
  std::int64_t key_heads = problem.shape.key_heads, served = problem.shape.heads / key_heads;
  parallel_for(
      static_cast<std::int64_t>(problem.plan.groups.size()) * key_heads, [&](std::int64_t task, int thread) {
        const AttentionGroup& group = problem.plan.groups[static_cast<std::size_t>(task / key_heads)];
        std::int64_t key_head = task % key_heads;
        for (std::int64_t head = key_head * served; head < (key_head + 1) * served; ++head) {
          body(group, key_head, head, problem.scratch(thread));
        }
      });
}

void clear(const HeadTensor& tensor, std::int64_t width) {
  parallel_ranges(tensor.rows, 256, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t row = begin; row < end; ++row)
      std::fill_n(tensor.data + row * tensor.stride, width, 0.0f);
  });
}

}  // namespace

std::int64_t attention_workspace(const AttentionShape&) {
  return threads() * (3 * kRows * kKeys + 2 * kRows);
}

void attention_forward(const AttentionShape& shape, const AttentionPlan& plan, const HeadTensor& query,
                       const HeadTensor& key, const HeadTensor& value, const AttentionDropout& dropout,
                       const HeadTensor& out, const Tensor& log_sum_exp, const Tensor& workspace,
                       const AttentionPrefix& prefix) {
  assert(shape.heads % shape.key_heads == 0 && workspace.elements() >= attention_workspace(shape));
  const Problem problem{shape, plan, dropout, workspace};
  const std::int64_t size = shape.head_size;
  for_each_head(problem, [&](const AttentionGroup& group, std::int64_t key_head, std::int64_t head,
                             const Scratch& scratch) {
    for (std::int64_t row = group.row_begin; row < group.row_end; row += kRows) {
      std::int64_t row_end = std::min<std::int64_t>(row + kRows, group.row_end);
      Matrix rows_out = head_rows(out, head, size, row, row_end);
      for (std::int64_t local = 0; local < rows_out.rows; ++local) {
        std::fill_n(rows_out.data + local * rows_out.stride, size, 0.0f);
      }
      std::fill_n(scratch.maximum, kRows, kNothing);
      std::fill_n(scratch.sum, kRows, 0.0f);
      const auto attend = [&](const Tile& tile, const HeadTensor& keys, const HeadTensor& values) {
        Matrix scores = score_matrix(scratch.scores, tile);
        gemm_block(head_rows(query, head, size, row, row_end),
                   head_rows(keys, key_head, size, tile.key_begin, tile.key_end).transpose(), scores,
                   Write::over, shape.scale);
        softmax_tile(problem, tile, head, scratch, rows_out);
        gemm_block(scores, head_rows(values, key_head, size, tile.key_begin, tile.key_end), rows_out,
                   Write::add);
      };
      for_each_prefix_tile(prefix.key.rows, row, row_end,
                           [&](const Tile& tile) { attend(tile, prefix.key, prefix.value); });
      for_each_key_tile(problem, row, row_end, [&](const Tile& tile) { attend(tile, key, value); });
      finish_rows(scratch, rows_out, log_sum_exp.f32() + head * query.rows + row);
    }
  });
}

namespace {

struct BackwardTensors {
  const HeadTensor &query, &key, &value, &out, &dout, &dquery, &dkey, &dvalue;
  const Tensor& log_sum_exp;
  // Those whose gradients are not wanted here have no data.
  bool wants_query() const { return dquery.data != nullptr; }
  bool wants_keys() const { return dkey.data != nullptr; }
};

// sum[i] = dO_i . O_i, which equals the probability-weighted mean of the scores' gradients.
void mean_gradients(const Matrix& out, const Matrix& dout, float* sum) {
  for (std::int64_t row = 0; row < out.rows; ++row) {
    const float *a = out.data + row * out.stride, *b = dout.data + row * dout.stride;
    float total = 0;
    for (std::int64_t column = 0; column < out.columns; ++column) total += a[column] * b[column];
    sum[row] = total;
  }
}

// Scores to probabilities (scratch.scores), and, with dropout, their factors (scratch.dropped).
void probabilities(const Problem& problem, const Tile& tile, std::int64_t head, const Scratch& scratch,
                   const float* log_sum_exp) {
  for (std::int64_t row = tile.row_begin; row < tile.row_end; ++row) {
    std::int64_t local = row - tile.row_begin;
    float* scores = scratch.scores + local * kKeys;
    Seen seen = seen_in(problem, tile, row);
    clear_outside(scores, tile.keys(), seen);
    if (seen.begin >= seen.end) continue;
    exp_row(scores + seen.begin, seen.end - seen.begin, log_sum_exp[row]);
    if (problem.dropout.p > 0) {
      tile_factors(problem, tile, row, head, seen, scratch.dropped + local * kKeys);
    }
  }
}

// scratch.gradient holds dO V^T; turns it into the gradient of the unscaled scores' product, and drops out
// the probabilities for dV when `dropped` is asked for.
void score_gradients(const Problem& problem, const Tile& tile, const Scratch& scratch) {
  for (std::int64_t row = tile.row_begin; row < tile.row_end; ++row) {
    std::int64_t local = row - tile.row_begin;
    float* gradient = scratch.gradient + local * kKeys;
    float* probability = scratch.scores + local * kKeys;
    Seen seen = seen_in(problem, tile, row);
    clear_outside(gradient, tile.keys(), seen);
    if (seen.begin >= seen.end) continue;
    const float* factors = scratch.dropped + local * kKeys;
    if (problem.dropout.p > 0) multiply(gradient, factors, seen);
    softmax_gradient_row(probability + seen.begin, gradient + seen.begin, seen.end - seen.begin,
                         scratch.sum[local], problem.shape.scale);
    if (problem.dropout.p > 0) multiply(probability, factors, seen);
  }
}

void backward_tile(const Problem& problem, const BackwardTensors& t, const Tile& tile, std::int64_t key_head,
                   std::int64_t head, const Scratch& scratch) {
  const std::int64_t size = problem.shape.head_size;
  auto rows_of = [&](const HeadTensor& tensor) {
    return head_rows(tensor, head, size, tile.row_begin, tile.row_end);
  };
  auto keys_of = [&](const HeadTensor& tensor) {
    return head_rows(tensor, key_head, size, tile.key_begin, tile.key_end);
  };
  Matrix scores = score_matrix(scratch.scores, tile), gradient = score_matrix(scratch.gradient, tile);
  gemm_block(rows_of(t.query), keys_of(t.key).transpose(), scores, Write::over, problem.shape.scale);
  probabilities(problem, tile, head, scratch, t.log_sum_exp.f32() + head * t.query.rows);
  gemm_block(rows_of(t.dout), keys_of(t.value).transpose(), gradient, Write::over);
  score_gradients(problem, tile, scratch);
  if (t.wants_query()) gemm_block(gradient, keys_of(t.key), rows_of(t.dquery), Write::add);
  if (!t.wants_keys()) return;
  gemm_block(scores.transpose(), rows_of(t.dout), keys_of(t.dvalue), Write::add);
  gemm_block(gradient.transpose(), rows_of(t.query), keys_of(t.dkey), Write::add);
}

// The gradient of the prefix comes from every row of the stream. So that its sums are in one order, a task is
// a tile of its keys and one key head, through all rows; the scores are made a second time for it.
void prefix_backward(const Problem& problem, const BackwardTensors& t) {
  const std::int64_t key_heads = problem.shape.key_heads, served = problem.shape.heads / key_heads;
  const std::int64_t size = problem.shape.head_size, tiles = (t.key.rows + kKeys - 1) / kKeys;
  parallel_for(tiles * key_heads, [&](std::int64_t task, int thread) {
    const Scratch scratch = problem.scratch(thread);
    const std::int64_t key_head = task % key_heads, key = task / key_heads * kKeys;
    const std::int64_t key_end = std::min(key + kKeys, t.key.rows);
    for (std::int64_t head = key_head * served; head < (key_head + 1) * served; ++head) {
      for (std::int64_t row = 0; row < t.query.rows; row += kRows) {
        const std::int64_t row_end = std::min(row + kRows, t.query.rows);
        mean_gradients(head_rows(t.out, head, size, row, row_end),
                       head_rows(t.dout, head, size, row, row_end), scratch.sum);
        backward_tile(problem, t, {row, row_end, key, key_end, true}, key_head, head, scratch);
      }
    }
  });
}

}  // namespace

void attention_backward(const AttentionShape& shape, const AttentionPlan& plan, const HeadTensor& query,
                        const HeadTensor& key, const HeadTensor& value, const AttentionDropout& dropout,
                        const HeadTensor& out, const Tensor& log_sum_exp, const HeadTensor& dout,
                        const HeadTensor& dquery, const HeadTensor& dkey, const HeadTensor& dvalue,
                        const Tensor& workspace, const AttentionPrefix& prefix,
                        const AttentionPrefix& dprefix) {
  assert(workspace.elements() >= attention_workspace(shape));
  const Problem problem{shape, plan, dropout, workspace};
  const HeadTensor none;
  const BackwardTensors tensors{query, key, value, out, dout, dquery, dkey, dvalue, log_sum_exp};
  const BackwardTensors through_prefix{query,  prefix.key, prefix.value, out,        dout,
                                       dquery, none,       none,         log_sum_exp};
  clear(dquery, shape.heads * shape.head_size);
  clear(dkey, shape.key_heads * shape.head_size);
  clear(dvalue, shape.key_heads * shape.head_size);
  for_each_head(problem, [&](const AttentionGroup& group, std::int64_t key_head, std::int64_t head,
                             const Scratch& scratch) {
    for (std::int64_t row = group.row_begin; row < group.row_end; row += kRows) {
      std::int64_t row_end = std::min<std::int64_t>(row + kRows, group.row_end);
      mean_gradients(head_rows(out, head, shape.head_size, row, row_end),
                     head_rows(dout, head, shape.head_size, row, row_end), scratch.sum);
      for_each_prefix_tile(prefix.key.rows, row, row_end, [&](const Tile& tile) {
        backward_tile(problem, through_prefix, tile, key_head, head, scratch);
      });
      for_each_key_tile(problem, row, row_end, [&](const Tile& tile) {
        backward_tile(problem, tensors, tile, key_head, head, scratch);
      });
    }
  });
  if (prefix.key.rows > 0) {
    prefix_backward(
        problem, {query, prefix.key, prefix.value, out, dout, none, dprefix.key, dprefix.value, log_sum_exp});
  }
}

}  // namespace surprisal
