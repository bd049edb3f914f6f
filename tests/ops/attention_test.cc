#include "ops/attention.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "tests/ops/attention_problem.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"

namespace surprisal {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Intervals = std::vector<Interval>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
// Tiles are 64 rows by 256 keys.
constexpr std::int32_t kLengths[] = {1, 2, 5, 63, 64, 65, 129, 255, 256, 257, 300};

template <class Visible>
Intervals intervals(std::int32_t rows, const Visible& visible) {
  Intervals all;
  for (std::int32_t row = 0; row < rows; ++row) all.push_back(visible(row));
  return all;
}

Intervals full(std::int32_t rows, std::int32_t keys) {
  return intervals(rows, [=](std::int32_t) { return Interval{0, keys}; });
}
Intervals causal(std::int32_t rows) {
  return intervals(rows, [](std::int32_t row) { return Interval{0, row + 1}; });
}
Intervals reverse_causal(std::int32_t rows) {
  return intervals(rows, [=](std::int32_t row) { return Interval{row, rows}; });
}
Intervals prefix_lm(std::int32_t rows) {
  return intervals(rows, [=](std::int32_t row) { return Interval{0, std::max(rows / 3, row + 1)}; });
}
// Any begin and end; a third of the rows see nothing.
Intervals arbitrary(std::int32_t rows, std::int32_t keys, std::uint64_t seed) {
  Random random({.seed = seed});
  return intervals(rows, [&](std::int32_t) {
    const auto any = [&] {
      return static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(keys) + 1));
    };
    std::int32_t a = any(), b = random.below(3) == 0 ? a : any();
    return Interval{std::min(a, b), std::max(a, b)};
  });
}
Intervals window(std::int32_t rows, std::int32_t size) {
  return intervals(rows, [=](std::int32_t row) {
    return Interval{std::max(0, row - size), std::min(rows, row + size)};
  });
}

const AttentionShape kShape = {.heads = 2, .key_heads = 2, .head_size = 5, .scale = 0.4472136f};

TEST(Attention, EveryKindOfIntervalAcrossTheTiles) {
  for (std::int32_t length : kLengths) {
    SCOPED_TRACE(length);
    for (const Intervals& visible :
         {full(length, length), causal(length), reverse_causal(length), prefix_lm(length), window(length, 7),
          arbitrary(length, length, static_cast<std::uint64_t>(length))}) {
      expect_attention({kShape, length, visible});
    }
  }
}

TEST(Attention, KeysAreNotRows) {
  for (auto [rows, keys] : {std::pair{1, 300}, {300, 1}, {65, 257}, {257, 63}, {3, 2}}) {
    SCOPED_TRACE(testing::PrintToString(std::pair(rows, keys)));
    expect_attention({kShape, keys, full(rows, keys)});
    expect_attention({kShape, keys, arbitrary(rows, keys, 5)});
  }
}

TEST(Attention, AKeyHeadServesSeveralHeads) {
  for (std::int64_t key_heads : {1, 2, 3, 6}) {
    for (std::int64_t size : {1, 2, 3, 16, 17}) {
      SCOPED_TRACE(testing::PrintToString(std::pair(key_heads, size)));
      expect_attention({{6, key_heads, size, 0.7f}, 70, causal(70)});
    }
  }
}

TEST(Attention, APrefixIsSeenByEveryRow) {
  for (std::int64_t prefix : {1, 7, 256, 300}) {
    for (std::int32_t length : {1, 65, 130}) {
      SCOPED_TRACE(testing::PrintToString(std::pair(prefix, length)));
      for (const Intervals& visible :
           {full(length, length), causal(length), arbitrary(length, length, 3), Intervals(length, {0, 0})}) {
        expect_attention({kShape, length, visible, prefix});
        AttentionProblem dropped({4, 2, 5, 0.4f}, length, visible, prefix);
        dropped.drop(0.3);
        expect_attention(dropped);
      }
    }
  }
}

TEST(Attention, RandomIntervalsOfAnySize) {
  Random random({.seed = 11});
  for (std::uint64_t trial = 0; trial < 60; ++trial) {
    const std::int32_t rows = 1 + static_cast<std::int32_t>(random.below(140)),
                       keys = 1 + static_cast<std::int32_t>(random.below(600));
    SCOPED_TRACE(testing::PrintToString(std::tuple(trial, rows, keys)));
    AttentionProblem problem({2, 1, 3, 1}, keys, arbitrary(rows, keys, trial));
    if (trial % 2) problem.drop(0.3);
    expect_attention(problem);
  }
}

TEST(Attention, DropoutIsThatOfItsDefinition) {
  for (double p : {0.1, 0.5, 0.9}) {
    for (std::int32_t length : {1, 65, 300}) {
      SCOPED_TRACE(testing::PrintToString(std::pair(p, length)));
      for (const Intervals& visible : {full(length, length), causal(length), reverse_causal(length)}) {
        AttentionProblem problem({4, 2, 5, 0.4f}, length, visible);
        problem.drop(p);
        expect_attention(problem);
      }
    }
  }
}

// Two sequences in one stream: a key's number counts from the beginning of its own sequence.
TEST(Attention, DropoutOfASequenceIsTheSamePackedAndAlone) {
  constexpr std::int32_t kFirst = 37, kSecond = 90;
  AttentionProblem alone(kShape, kSecond, causal(kSecond));
  alone.drop(0.4);
  Intervals visible = full(kFirst, kFirst);
  for (const Interval& interval : alone.visible)
    visible.push_back({interval.begin + kFirst, interval.end + kFirst});
  AttentionProblem packed(kShape, kFirst + kSecond, visible);
  packed.drop(0.4);
  const auto place = [](const Floats& values, Floats& end_of) {
    std::copy_backward(values.begin(), values.end(), end_of.end());
  };
  place(alone.query, packed.query);
  place(alone.key, packed.key);
  place(alone.value, packed.value);
  place(alone.dout, packed.dout);
  for (std::size_t row = kFirst; row < visible.size(); ++row) {
    packed.identities[row] = alone.identities[row - kFirst];
    packed.sequence_begin[row] = kFirst;
  }
  const AttentionResult one = run_attention(alone), both = run_attention(packed);
  const auto expect_tail = [](const Floats& whole, const Floats& tail) {
    EXPECT_TRUE(same_bits(Floats(whole.end() - static_cast<std::ptrdiff_t>(tail.size()), whole.end()), tail));
  };
  expect_tail(both.out, one.out);
  expect_tail(both.dquery, one.dquery);
  expect_tail(both.dkey, one.dkey);
  expect_tail(both.dvalue, one.dvalue);
}

TEST(Attention, RowsThatSeeNothingAreZero) {
  const AttentionProblem problem(kShape, 300, Intervals(130, Interval{7, 7}));
  const AttentionResult got = run_attention(problem);
  const auto zero = [](const Floats& values) { return values == Floats(values.size(), 0); };
  EXPECT_TRUE(zero(got.out) && zero(got.dquery) && zero(got.dkey) && zero(got.dvalue));
  EXPECT_THAT(got.log_sum_exp, testing::Each(-std::numeric_limits<float>::infinity()));
}

TEST(Attention, NoRowsOrNoKeys) {
  run_attention({kShape, 5, {}});
  const AttentionResult got = run_attention({kShape, 0, Intervals(3)});
  EXPECT_EQ(got.out, Floats(got.out.size(), 0));
}

TEST(Attention, KeysThatNobodySeesHaveNoGradient) {
  AttentionProblem problem(kShape, 500, intervals(100, [](std::int32_t row) {
                             return Interval{100, 101 + row};
                           }));
  const AttentionResult got = run_attention(problem);
  for (std::size_t i = 0; i < got.dkey.size(); ++i) {
    const std::size_t key = i / 10;
    if (key >= 100 && key < 200) continue;
    ASSERT_TRUE(got.dkey[i] == 0 && got.dvalue[i] == 0) << key;
  }
}

// Whole numbers, so that the scores, up to 1e4 on either side, are exact and only the softmax is tested.
TEST(Attention, HugeScores) {
  for (const Intervals& visible : {full(70, 300), causal(300)}) {
    AttentionProblem problem({2, 2, 4, 1}, 300, visible);
    for (Floats* values : {&problem.query, &problem.key}) {
      for (float& value : *values) value = std::round(25 * value);
    }
    problem.exact_scores = true;
    expect_attention(problem);
    for (float& value : problem.query) value *= 1024;  // one key takes all
    expect_attention(problem);
  }
}

TEST(Attention, EqualScoresAreAMean) {
  for (float size : {0.0f, 1.0f, 2500.0f}) {
    AttentionProblem problem({1, 1, 4, 1}, 300, causal(300));
    problem.query.assign(problem.query.size(), 1);
    problem.key.assign(problem.key.size(), size);
    problem.exact_scores = true;
    expect_attention(problem);
    const AttentionResult got = run_attention(problem);
    for (std::int64_t row : {0, 1, 299}) {
      EXPECT_NEAR(got.log_sum_exp[static_cast<std::size_t>(row)],
                  4 * size + std::log(static_cast<double>(row + 1)), 0x1p-23 * (4 * size + 8));
    }
  }
}

// Growing scores rescale the running sum at every tile, falling ones at none.
TEST(Attention, TheMaximumMayStandInAnyTile) {
  for (float step : {0.25f, -0.25f}) {
    AttentionProblem problem({1, 1, 2, 1}, 1100, full(3, 1100));
    problem.query.assign(problem.query.size(), 1);
    for (std::size_t i = 0; i < problem.key.size(); ++i) problem.key[i] = step * static_cast<float>(i / 2);
    problem.exact_scores = true;
    expect_attention(problem);
  }
}

// What the exact results above are made of: the reference, and its derivative.
TEST(Attention, ExactGradientsAreTheDerivativeOfTheReference) {
  for (auto [p, prefix] : {std::pair{0.0, 0}, {0.3, 0}, {0.0, 2}, {0.3, 3}}) {
    AttentionProblem problem({4, 2, 3, 0.6f}, 8, {{0, 8}, {2, 5}, {4, 4}, {7, 8}, {0, 3}}, prefix);
    if (p > 0) problem.drop(p);
    const std::vector<double> keep = problem.keep();
    const std::size_t rows = problem.query.size(), keys = problem.key.size();
    Doubles point(problem.query.begin(), problem.query.end());
    for (const Floats* more : {&problem.key, &problem.value})
      point.insert(point.end(), more->begin(), more->end());
    const auto outputs = [&](auto at) {
      using Numbers = std::vector<std::remove_const_t<typename decltype(at)::value_type>>;
      const Numbers query(at.begin(), at.begin() + rows), key(at.begin() + rows, at.begin() + rows + keys),
          value(at.begin() + rows + keys, at.end());
      return reference::attention(problem.shape, problem.visible, query, key, value, keep, problem.prefix);
    };
    const auto loss = [&](std::span<const std::complex<double>> at) {
      const auto out = outputs(at);
      std::complex<double> sum = 0;
      for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * static_cast<double>(problem.dout[i]);
      return sum;
    };
    const ExactAttentionOf exact(problem);
    Doubles want = (*exact).dquery.value;
    for (const ExactValues* more : {&(*exact).dkey, &(*exact).dvalue}) {
      want.insert(want.end(), more->value.begin(), more->value.end());
    }
    EXPECT_THAT(outputs(std::span<const double>(point)),
                testing::Pointwise(testing::DoubleNear(1e-14), (*exact).out.value));
    EXPECT_THAT(complex_step(loss, point), testing::Pointwise(testing::DoubleNear(1e-13), want));
  }
}

TEST(Attention, SameBitsForAnyNumberOfThreads) {
  Intervals visible = causal(300);
  for (const Interval& interval : arbitrary(100, 80, 3))
    visible.push_back({interval.begin + 300, interval.end + 300});
  for (std::int32_t row = 0; row < 40; ++row) visible.push_back({400, 440});
  AttentionProblem problem({6, 3, 8, 0.35f}, 440, visible);
  problem.drop(0.1);
  expect_same_for_any_threads([&] { return run_attention(problem).all(); }, same_bits<Floats>);
  problem = AttentionProblem(kShape, 300, causal(300), 270);
  expect_same_for_any_threads([&] { return run_attention(problem).all(); }, same_bits<Floats>);
}

// Poisons rows [begin, end) of an array of `rows` rows.
void poison(Floats& values, std::int64_t rows, std::int64_t begin, std::int64_t end) {
  const std::int64_t width = static_cast<std::int64_t>(values.size()) / rows;
  std::fill(values.begin() + begin * width, values.begin() + end * width, kNan);
}

// 300 rows of three sequences, two rows that see nothing behind each.
Intervals three_sequences() {
  return intervals(300, [](std::int32_t row) {
    const std::int32_t begin = row / 100 * 100;
    if (row - begin >= 98) return Interval{begin, begin};
    return Interval{begin, row % 2 ? begin + 98 : row + 1};
  });
}

TEST(Attention, WhatIsNotANumberStaysInItsSequence) {
  AttentionProblem problem(kShape, 300, three_sequences());
  const AttentionResult healthy = run_attention(problem);
  for (Floats* values : {&problem.query, &problem.key, &problem.value, &problem.dout})
    poison(*values, 300, 100, 200);
  const AttentionResult sick = run_attention(problem);
  for (auto [before, after] : {std::pair(&healthy.out, &sick.out),
                               {&healthy.dquery, &sick.dquery},
                               {&healthy.dkey, &sick.dkey},
                               {&healthy.dvalue, &sick.dvalue}}) {
    for (std::size_t i = 0; i < before->size(); ++i) {
      const std::size_t row = i / 10;
      const bool blind = row % 100 >= 98;
      if (row < 100 || row >= 200 || blind) {
        ASSERT_EQ((*before)[i], (*after)[i]) << row;
      } else {
        ASSERT_TRUE(std::isnan((*after)[i])) << row;
      }
    }
  }
}

// A score that is not a number must not end up as a probability of 0.
TEST(Attention, WhatIsNotANumberShows) {
  for (std::int64_t at : {0, 17, 69}) {
    AttentionProblem problem(kShape, 70, full(70, 70));
    poison(problem.key, 70, at, at + 1);
    EXPECT_THAT(run_attention(problem).out, testing::Each(testing::IsNan()));
    AttentionProblem row(kShape, 70, full(70, 70));
    poison(row.query, 70, at, at + 1);
    const Floats out = run_attention(row).out;
    for (std::int64_t i = 0; i < 700; ++i)
      ASSERT_EQ(std::isnan(out[static_cast<std::size_t>(i)]), i / 10 == at);
  }
}

// All rows of the first tile see keys of the first and of the third 256, none of the second; causal rows see
// none of later tiles.
TEST(Attention, TilesThatNoRowSeesAreNotTouched) {
  AttentionProblem gap(kShape, 768, intervals(64, [](std::int32_t row) {
                         return row % 2 ? Interval{0, 10} : Interval{600, 700};
                       }));
  AttentionProblem later(kShape, 640, causal(640));
  for (auto [problem, begin, end, rows] : {std::tuple(&gap, 256, 512, 64), {&later, 576, 640, 576}}) {
    const AttentionResult healthy = run_attention(*problem);
    for (Floats* values : {&problem->key, &problem->value}) poison(*values, problem->keys, begin, end);
    const AttentionResult sick = run_attention(*problem);
    const auto first = [&, count = rows](const Floats& values) {
      return Floats(values.begin(), values.begin() + count * 10);
    };
    EXPECT_TRUE(same_bits(first(healthy.out), first(sick.out)));
    EXPECT_TRUE(same_bits(first(healthy.dquery), first(sick.dquery)));
  }
}

}  // namespace
}  // namespace surprisal
