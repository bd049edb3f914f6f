// Attention to test: a problem, its result from the op in guarded buffers with gaps between rows, and the
// exact result in double with the error that f32 may make.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "ops/attention.h"
#include "ops/attention_reference.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {

struct AttentionProblem {
  AttentionShape shape;
  std::int64_t keys;
  std::vector<Interval> visible;
  std::vector<float> query, key, value, dout;  // dense
  double p = 0;
  std::vector<DropoutRow> identities;
  std::vector<std::int32_t> sequence_begin;
  std::int64_t prefix = 0;    // of the keys the first, which every row sees; intervals count behind them
  bool exact_scores = false;  // every score is a float: its rounding is no excuse

  AttentionProblem(const AttentionShape& heads, std::int64_t key_count, std::vector<Interval> intervals,
                   std::int64_t prefix_keys = 0)
      : shape(heads),
        keys(prefix_keys + key_count),
        visible(std::move(intervals)),
        query(normal_values(rows() * shape.heads * shape.head_size, 1)),
        key(normal_values(keys * shape.key_heads * shape.head_size, 2)),
        value(normal_values(keys * shape.key_heads * shape.head_size, 3)),
        dout(normal_values(rows() * shape.heads * shape.head_size, 4)),
        prefix(prefix_keys) {}

  std::int64_t rows() const { return static_cast<std::int64_t>(visible.size()); }
  // One sequence from key 0 on.
  void drop(double probability) {
    p = probability;
    for (std::int64_t row = 0; row < rows(); ++row) {
      identities.push_back({.key = 0x1234567890, .sample = 77, .row = static_cast<std::uint32_t>(row)});
    }
    sequence_begin.assign(visible.size(), 0);
  }
  AttentionDropout dropout() const { return {p, identities, sequence_begin}; }

  // [N, heads, M], by the definition of dropout.h; empty without dropout.
  std::vector<double> keep() const {
    std::vector<double> factors;
    if (p == 0) return factors;
    for (std::size_t row = 0; row < visible.size(); ++row) {
      for (std::int64_t head = 0; head < shape.heads; ++head) {
        DropoutRow identity = identities[row];
        identity.row ^= static_cast<std::uint32_t>(head) << 24;
        for (std::int64_t j = 0; j < keys; ++j) {
          const std::int64_t place =
              j < prefix ? (std::int64_t{1} << 31) + j : j - prefix - sequence_begin[row];
          const std::uint32_t number = dropout_number(identity, static_cast<std::uint32_t>(place));
          factors.push_back(number >= dropout_threshold(p) ? 1 / (1 - p) : 0);
        }
      }
    }
    return factors;
  }
};

struct AttentionResult {
  std::vector<float> out, log_sum_exp, dquery, dkey, dvalue;

  std::vector<float> all() const {
    std::vector<float> values = out;
    for (const auto* more : {&log_sum_exp, &dquery, &dkey, &dvalue}) {
      values.insert(values.end(), more->begin(), more->end());
    }
    return values;
  }
};

// Dense rows of `width` laid out with a gap behind each; what stands in the gaps is NaN and must stay.
class GappedRows {
 public:
  GappedRows(std::int64_t rows, std::int64_t width)
      : rows_(rows), width_(width), buffer_(rows * (width + kGap)) {}
  GappedRows(const std::vector<float>& dense, std::int64_t rows)
      : GappedRows(rows, rows ? static_cast<std::int64_t>(dense.size()) / rows : 0) {
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(dense.data() + row * width_, width_, buffer_.data() + row * (width_ + kGap));
    }
  }
  // The first rows, which are added to.
  void clear(std::int64_t rows) {
    for (std::int64_t row = 0; row < rows; ++row)
      std::fill_n(buffer_.data() + row * (width_ + kGap), width_, 0.0f);
  }
  HeadTensor tensor() { return {buffer_.data(), rows_, width_ + kGap}; }
  std::vector<float> dense() {
    std::vector<float> values;
    for (std::int64_t row = 0; row < rows_; ++row) {
      const float* begin = buffer_.data() + row * (width_ + kGap);
      values.insert(values.end(), begin, begin + width_);
      for (std::int64_t j = width_; j < width_ + kGap; ++j) {
        EXPECT_TRUE(std::isnan(begin[j])) << "written behind row " << row;
      }
    }
    return values;
  }

 private:
  static constexpr std::int64_t kGap = 3;
  std::int64_t rows_, width_;
  GuardedFloats buffer_;
};

inline AttentionResult run_attention(const AttentionProblem& problem) {
  const std::int64_t rows = problem.rows(), keys = problem.keys;
  const std::int64_t width = problem.shape.heads * problem.shape.head_size,
                     key_width = problem.shape.key_heads * problem.shape.head_size;
  AttentionPlan plan;
  plan_attention(problem.visible, keys - problem.prefix, plan);
  GappedRows query(problem.query, rows), key(problem.key, keys), value(problem.value, keys),
      dout(problem.dout, rows), out(rows, width), dquery(rows, width), dkey(keys, key_width),
      dvalue(keys, key_width);
  GuardedFloats log_sum_exp(problem.shape.heads * rows), workspace(attention_workspace(problem.shape));
  const Tensor sums = log_sum_exp.tensor({problem.shape.heads, rows});
  const auto first = [&](GappedRows& of) {
    return HeadTensor{of.tensor().data, problem.prefix, of.tensor().stride};
  };
  const auto rest = [&](GappedRows& of) {
    const HeadTensor all = of.tensor();
    return HeadTensor{all.data + problem.prefix * all.stride, keys - problem.prefix, all.stride};
  };
  for (GappedRows* of : {&dkey, &dvalue}) of->clear(problem.prefix);
  attention_forward(problem.shape, plan, query.tensor(), rest(key), rest(value), problem.dropout(),
                    out.tensor(), sums, workspace.tensor(), {first(key), first(value)});
  attention_backward(problem.shape, plan, query.tensor(), rest(key), rest(value), problem.dropout(),
                     out.tensor(), sums, dout.tensor(), dquery.tensor(), rest(dkey), rest(dvalue),
                     workspace.tensor(), {first(key), first(value)}, {first(dkey), first(dvalue)});
  return {out.dense(), log_sum_exp.copy(), dquery.dense(), dkey.dense(), dvalue.dense()};
}

// A value and the most that f32 may be off by.
struct ExactValues {
  std::vector<double> value, error;
  explicit ExactValues(std::size_t size) : value(size), error(size) {}
  void add(std::size_t at, double term, double off) {
    value[at] += term;
    error[at] += off;
  }
};

struct ExactAttention {
  ExactValues out, dquery, dkey, dvalue;
};

// The gradients by the formulas of the softmax; a test holds them against the derivative of the reference.
// Errors are first order in u = 2^-24: a score s is off by u (size + 2) sum |q k|, so a probability, in
// relation to itself, by twice that and the roundings of exp, of the sums over keys and (backward) of the
// log-sum-exp; each product of the chain then carries that relation on to the absolute values of what it
// sums.
class ExactAttentionOf {
 public:
  explicit ExactAttentionOf(const AttentionProblem& problem)
      : problem_(problem),
        keep_(problem.keep()),
        exact_{ExactValues(problem.query.size()), ExactValues(problem.query.size()),
               ExactValues(problem.key.size()), ExactValues(problem.key.size())} {
    for (std::int64_t row = 0; row < problem.rows(); ++row) {
      for (std::int64_t head = 0; head < problem.shape.heads; ++head) add_row(row, head);
    }
  }
  const ExactAttention& operator*() const { return exact_; }

 private:
  struct Key {
    double probability, keep, dprobability, dprobability_size;
  };

  std::size_t row_at(std::int64_t row, std::int64_t head) const {
    return static_cast<std::size_t>((row * problem_.shape.heads + head) * problem_.shape.head_size);
  }
  std::size_t key_at(std::int64_t key, std::int64_t head) const {
    const std::int64_t served = problem_.shape.heads / problem_.shape.key_heads;
    return static_cast<std::size_t>((key * problem_.shape.key_heads + head / served) *
                                    problem_.shape.head_size);
  }

  // Probabilities of the row, and what its scores and their log-sum-exp are worth in roundings.
  void softmax(std::int64_t row, std::int64_t head, std::vector<Key>& keys) {
    std::vector<double> scores;
    double most = -std::numeric_limits<double>::infinity(), sum = 0;
    score_size_ = 0;
    for (std::int64_t j : seen_) {
      double score = 0, size = 0;
      for (std::size_t d = 0; d < size_; ++d) {
        const double term = double{problem_.query[row_at(row, head) + d]} *
                            problem_.key[key_at(j, head) + d] * problem_.shape.scale;
        score += term;
        size += std::abs(term);
      }
      scores.push_back(score);
      most = std::max(most, score);
      score_size_ = std::max(score_size_, size);
    }
    for (double score : scores) sum += std::exp(score - most);
    log_sum_exp_ = most + std::log(sum);
    for (double score : scores) keys.push_back({std::exp(score - most) / sum, 1, 0, 0});
  }

  void arrive(std::int64_t row, std::int64_t head, std::vector<Key>& keys) {
    for (std::size_t j = 0; j < keys.size(); ++j) {
      Key& key = keys[j];
      const std::int64_t at = seen_[j];
      if (!keep_.empty()) {
        key.keep = keep_[static_cast<std::size_t>((row * problem_.shape.heads + head) * problem_.keys + at)];
      }
      for (std::size_t d = 0; d < size_; ++d) {
        const double term =
            double{problem_.dout[row_at(row, head) + d]} * problem_.value[key_at(at, head) + d] * key.keep;
        key.dprobability += term;
        key.dprobability_size += std::abs(term);
      }
    }
  }

  void add_row(std::int64_t row, std::int64_t head) {
    seen_ = reference::keys_seen(problem_.visible[static_cast<std::size_t>(row)], problem_.prefix);
    std::vector<Key> keys;
    softmax(row, head, keys);
    arrive(row, head, keys);
    double mean = 0, mean_size = 0;
    for (const Key& key : keys) {
      mean += key.probability * key.dprobability;
      mean_size += key.probability * key.dprobability_size;
    }
    constexpr double kRounding = 0x1p-24;
    const double scores = problem_.exact_scores ? 0 : 2 * static_cast<double>(size_ + 4) * score_size_;
    const double sums = static_cast<double>(keys.size() + size_ + 16);
    const double forward = kRounding * (scores + sums),
                 backward =
                     forward + kRounding * (std::abs(log_sum_exp_) +
                                            static_cast<double>(problem_.rows() * problem_.shape.heads));
    const double scale = problem_.shape.scale;
    for (std::size_t j = 0; j < keys.size(); ++j) {
      const Key& key = keys[j];
      const std::size_t at = key_at(seen_[j], head), i = row_at(row, head);
      const double dscore = scale * key.probability * (key.dprobability - mean);
      const double dscore_error = backward * scale * key.probability * (key.dprobability_size + mean_size);
      const double kept = key.probability * key.keep;
      for (std::size_t d = 0; d < size_; ++d) {
        const double q = problem_.query[i + d], k = problem_.key[at + d], v = problem_.value[at + d],
                     g = problem_.dout[i + d];
        exact_.out.add(i + d, kept * v, forward * kept * std::abs(v));
        exact_.dquery.add(i + d, dscore * k, dscore_error * std::abs(k));
        exact_.dkey.add(at + d, dscore * q, dscore_error * std::abs(q));
        exact_.dvalue.add(at + d, kept * g, backward * kept * std::abs(g));
      }
    }
  }

  const AttentionProblem& problem_;
  std::vector<double> keep_;
  std::size_t size_ = static_cast<std::size_t>(problem_.shape.head_size);
  std::vector<std::int64_t> seen_;  // by the row at hand
  double score_size_ = 0, log_sum_exp_ = 0;
  ExactAttention exact_;
};

inline void expect_near(const std::vector<float>& got, const ExactValues& want, const char* name) {
  ASSERT_EQ(got.size(), want.value.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    // What is below the smallest normal number may be 0.
    ASSERT_NEAR(got[i], want.value[i], want.error[i] + 1e-36) << name << " element " << i;
  }
}

inline void expect_attention(const AttentionProblem& problem) {
  const AttentionResult got = run_attention(problem);
  const ExactAttentionOf exact(problem);
  expect_near(got.out, (*exact).out, "out");
  expect_near(got.dquery, (*exact).dquery, "dquery");
  expect_near(got.dkey, (*exact).dkey, "dkey");
  expect_near(got.dvalue, (*exact).dvalue, "dvalue");
}

}  // namespace surprisal
