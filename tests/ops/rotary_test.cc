#include "ops/rotary.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/rotary_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24;

using Floats = std::vector<float>;
using Positions = std::vector<std::int32_t>;

// Heads that lie in wider rows, with elements behind them and between them that must stay.
struct Problem {
  std::int64_t heads, head_size, pairs, gap;
  Positions position;
  double magnitude = 1;
  std::vector<double> frequency = rotary_frequencies(2 * pairs, 10000);
  std::int64_t rows = std::ssize(position), stride = heads * head_size + gap;
  Floats x = normal_values(rows * stride, 1);
};

Floats table_of(const Problem& problem) {
  GuardedFloats table(problem.rows * 2 * problem.pairs);
  rotary_table(problem.position, problem.frequency, problem.magnitude,
               table.tensor({problem.rows, 2 * problem.pairs}));
  return table.copy();
}

Floats rotate(const Problem& problem, const Floats& values, bool back) {
  GuardedFloats table(table_of(problem)), x(values);
  const Tensor angles = table.tensor({problem.rows, 2 * problem.pairs});
  const HeadTensor heads = {x.data(), problem.rows, problem.stride};
  (back ? rotary_backward : rotary_forward)(angles, problem.heads, problem.head_size, heads);
  return x.copy();
}

template <class Number>
std::vector<Number> reference_rotation(const Problem& problem, std::vector<Number> x) {
  for (std::int64_t row = 0; row < problem.rows; ++row) {
    for (std::int64_t head = 0; head < problem.heads; ++head) {
      reference::rotary(problem.position[static_cast<std::size_t>(row)],
                        std::span<const double>(problem.frequency), problem.magnitude,
                        x.data() + row * problem.stride + head * problem.head_size);
    }
  }
  return x;
}

Problem problem_of_size(std::int64_t pairs) {
  return {.heads = 3,
          .head_size = 2 * pairs + pairs % 3,
          .pairs = pairs,
          .gap = pairs % 2,
          .position = {5, 0, 2047, 5}};
}

TEST(Rotary, FrequenciesAreThePublishedOnes) {
  EXPECT_THAT(rotary_frequencies(8, 10000),
              testing::Pointwise(testing::DoubleNear(1e-15), {1.0, 0.1, 0.01, 0.001}));
  EXPECT_THAT(rotary_frequencies(128, 10000).back(),
              testing::DoubleNear(std::pow(10000, -126.0 / 128), 1e-18));
  EXPECT_TRUE(rotary_frequencies(0, 10000).empty());
}

// Two pairs at position 1, by hand: the first half of the head turns with the second.
TEST(Rotary, TurnsTheHalvesOfAHead) {
  const Problem problem = {.heads = 1, .head_size = 4, .pairs = 2, .gap = 0, .position = {1}};
  const Floats y = rotate(problem, {1, 2, 3, 4}, false);
  const double c0 = std::cos(1.0), s0 = std::sin(1.0), c1 = std::cos(0.01), s1 = std::sin(0.01);
  EXPECT_NEAR(y[0], c0 - 3 * s0, 1e-6);
  EXPECT_NEAR(y[1], 2 * c1 - 4 * s1, 1e-6);
  EXPECT_NEAR(y[2], 3 * c0 + s0, 1e-6);
  EXPECT_NEAR(y[3], 4 * c1 + 2 * s1, 1e-6);
}

TEST(Rotary, ForwardEqualsTheReferenceForAnySize) {
  on_every_instruction_set([] {
    for (std::int64_t pairs = 1; pairs <= 40; ++pairs) {
      Problem problem = problem_of_size(pairs);
      problem.magnitude = pairs % 2 == 0 ? 1 : 0.875;
      const Floats y = rotate(problem, problem.x, false);
      const std::vector<double> want =
          reference_rotation(problem, std::vector<double>(problem.x.begin(), problem.x.end()));
      // Two factors rounded, two products, one sum; the norm of a pair does not change.
      for (std::size_t i = 0; i < y.size(); ++i)
        ASSERT_NEAR(y[i], want[i], kRounding * 4 * 5) << pairs << " " << i;
    }
  });
}

TEST(Rotary, BackwardIsTheDerivativeOfTheReference) {
  Problem problem = problem_of_size(5);
  problem.magnitude = 1.25;
  const Floats dy = normal_values(std::ssize(problem.x), 2);
  const auto loss = [&](std::span<const std::complex<double>> point) {
    const auto y = reference_rotation(problem, std::vector<std::complex<double>>(point.begin(), point.end()));
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * static_cast<double>(dy[i]);
    return sum;
  };
  const std::vector<double> want = complex_step(loss, {problem.x.begin(), problem.x.end()});
  on_every_instruction_set([&] {
    const Floats dx = rotate(problem, dy, true);
    for (std::size_t i = 0; i < dx.size(); ++i) ASSERT_NEAR(dx[i], want[i], kRounding * 4 * 5 * 1.25) << i;
  });
}

TEST(Rotary, WhatStandsBehindTheRotatedElementsStays) {
  const Problem problem = {.heads = 2, .head_size = 9, .pairs = 3, .gap = 5, .position = {7, 8}};
  const Floats y = rotate(problem, problem.x, false);
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t column = 0; column < problem.stride; ++column) {
      const auto at = static_cast<std::size_t>(row * problem.stride + column);
      const bool turned = column < 18 && column % 9 < 6;
      EXPECT_EQ(y[at] != problem.x[at], turned) << row << " " << column;
    }
  }
}

TEST(Rotary, PositionZeroChangesNothing) {
  Problem problem = problem_of_size(20);
  problem.position.assign(4, 0);
  EXPECT_TRUE(same_bits(rotate(problem, problem.x, false), problem.x));
}

// A score is a function of the distance, at every position that a stream may name.
TEST(Rotary, DotProductsDependOnTheDistanceAlone) {
  const std::int64_t pairs = 32;
  const auto score = [&](std::int32_t query, std::int32_t key) {
    const Problem problem = {
        .heads = 1, .head_size = 2 * pairs, .pairs = pairs, .gap = 0, .position = {query, key}};
    const Floats y = rotate(problem, problem.x, false);
    double sum = 0;
    for (std::int64_t d = 0; d < 2 * pairs; ++d) {
      sum += double{y[static_cast<std::size_t>(d)]} * y[static_cast<std::size_t>(2 * pairs + d)];
    }
    return sum;
  };
  const double near = score(3, 0);
  for (std::int32_t start : {1, 1000, 123'457, (1 << 24) - 4}) {
    EXPECT_NEAR(score(start + 3, start), near, kRounding * 64 * 10) << start;
  }
  EXPECT_GT(std::abs(score(4, 0) - near), 1e-3);
}

// In f32 the angle itself would be off by up to 0.5 at these positions.
TEST(Rotary, AnglesAreExactAtAnyPosition) {
  const Problem problem = {
      .heads = 1, .head_size = 4, .pairs = 2, .gap = 0, .position = {(1 << 24) - 1, 9'999'991}};
  const Floats table = table_of(problem);
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t pair = 0; pair < 2; ++pair) {
      const long double angle = static_cast<long double>(problem.position[row]) * (pair == 0 ? 1.0L : 0.01L);
      EXPECT_NEAR(table[row * 4 + pair], static_cast<double>(std::cos(angle)), kRounding);
      EXPECT_NEAR(table[row * 4 + 2 + pair], static_cast<double>(std::sin(angle)), kRounding);
    }
  }
}

TEST(Rotary, BackwardUndoesForward) {
  const Problem problem = problem_of_size(13);
  const Floats there = rotate(problem, problem.x, false), back = rotate(problem, there, true);
  EXPECT_THAT(back, testing::Pointwise(testing::FloatNear(2e-6f), problem.x));
  EXPECT_THAT(there, testing::Not(testing::Pointwise(testing::FloatNear(0.1f), problem.x)));
}

TEST(Rotary, NanStaysInItsPair) {
  Problem problem = {.heads = 2, .head_size = 10, .pairs = 5, .gap = 0, .position = {3}};
  problem.x[12] = std::numeric_limits<float>::quiet_NaN();
  const Floats y = rotate(problem, problem.x, false);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i == 12 || i == 17) << i;
}

TEST(Rotary, SameBitsForAnyNumberOfThreads) {
  Problem problem = {.heads = 7, .head_size = 34, .pairs = 17, .gap = 0, .position = Positions(500)};
  for (std::int32_t row = 0; row < 500; ++row) problem.position[static_cast<std::size_t>(row)] = 3 * row;
  expect_same_for_any_threads([&] { return table_of(problem); }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return rotate(problem, problem.x, false); }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return rotate(problem, problem.x, true); }, same_bits<Floats>);
}

TEST(Rotary, NothingIsDoneForNothing) {
  EXPECT_TRUE(rotate({.heads = 2, .head_size = 4, .pairs = 2, .gap = 0, .position = {}}, {}, false).empty());
}

}  // namespace
}  // namespace surprisal
