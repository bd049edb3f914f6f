#include "ops/linear_squared_error.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/linear_squared_error_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

constexpr double kRounding = 1.0 / (1 << 24);  // of one operation in f32, relative

struct Problem {
  std::int64_t width = 1;
  Floats hidden{}, weight{}, bias{}, value{}, scale{};  // bias: empty, or one
  std::int64_t labels() const { return std::ssize(value); }
};

Problem make_problem(std::int64_t labels, std::int64_t width, bool bias, std::uint64_t seed) {
  return {.width = width,
          .hidden = normal_values(labels * width, seed),
          .weight = normal_values(width, seed + 1),
          .bias = bias ? normal_values(1, seed + 2) : Floats{},
          .value = normal_values(labels, seed + 3, 3, 1),
          .scale = normal_values(labels, seed + 4)};
}

// What the weights' gradients hold before: they are added to.
constexpr float kBefore = 0.5f;

struct Computed {
  Floats error, output, dhidden, dweight, dbias;
};

// Frozen parameters have no gradients: those stay empty.
Computed compute(const Problem& problem, bool weight = true, bool bias = true) {
  const std::int64_t labels = problem.labels(), width = problem.width;
  GuardedFloats hidden(problem.hidden), weights(problem.weight), offset(problem.bias);
  GuardedFloats error(labels), output(labels), dhidden(labels * width);
  GuardedFloats dweight(weight ? Floats(static_cast<std::size_t>(width), kBefore) : Floats{});
  GuardedFloats dbias(bias && !problem.bias.empty() ? Floats{kBefore} : Floats{});
  const SquaredErrorInput input{.hidden = hidden.tensor({labels, width}),
                                .weight = weights.tensor({1, width}),
                                .bias = problem.bias.empty() ? Tensor{} : offset.tensor(),
                                .value = problem.value};
  linear_squared_error_forward(input, error.span(), output.span());
  linear_squared_error_backward(input, output.span(),
                                {.scale = problem.scale,
                                 .dhidden = dhidden.tensor({labels, width}),
                                 .dweight = dweight.size() > 0 ? dweight.tensor({1, width}) : Tensor{},
                                 .dbias = dbias.size() > 0 ? dbias.tensor() : Tensor{}});
  return {error.copy(), output.copy(), dhidden.copy(), dweight.copy(), dbias.copy()};
}

template <class Number>
std::vector<Number> as(const Floats& values) {
  return {values.begin(), values.end()};
}

// Gradients of sum_s scale_s error_s by hidden, weight and bias, one after the other.
Doubles exact_gradients(const Problem& problem) {
  const std::size_t hidden = problem.hidden.size(), weight = problem.weight.size();
  Doubles x = as<double>(problem.hidden);
  x.insert(x.end(), problem.weight.begin(), problem.weight.end());
  x.insert(x.end(), problem.bias.begin(), problem.bias.end());
  const auto loss = [&](std::span<const std::complex<double>> point) {
    using Numbers = std::vector<std::complex<double>>;
    const auto part = [&](std::size_t begin, std::size_t size) {
      return Numbers(point.begin() + static_cast<std::ptrdiff_t>(begin),
                     point.begin() + static_cast<std::ptrdiff_t>(begin + size));
    };
    const Numbers error =
        reference::linear_squared_error(problem.width, part(0, hidden), part(hidden, weight),
                                        part(hidden + weight, point.size() - hidden - weight), problem.value);
    std::complex<double> sum = 0;
    for (std::size_t s = 0; s < error.size(); ++s) sum += error[s] * static_cast<double>(problem.scale[s]);
    return sum;
  };
  return complex_step(loss, x);
}

// Of 2 scale (output - value), formed in f32 of an output that was rounded: the largest error.
double slope_error(const Problem& problem, const Computed& computed, std::size_t s) {
  const double output = computed.output[s], distance = output - problem.value[s];
  return 2 * std::abs(problem.scale[s]) * kRounding * (std::abs(output) + 2.5 * std::abs(distance));
}
double slope(const Problem& problem, const Computed& computed, std::size_t s) {
  return 2.0 * problem.scale[s] * (static_cast<double>(computed.output[s]) - problem.value[s]);
}

TEST(LinearSquaredError, AnExampleByHand) {
  const Problem problem{.width = 2,
                        .hidden = {1, 2, -1, 0.5f},
                        .weight = {3, -1},
                        .bias = {0.5f},
                        .value = {2, -3},
                        .scale = {1, 0.25f}};
  const Computed got = compute(problem);
  EXPECT_EQ(got.output, (Floats{1.5f, -3}));  // 3 - 2 + 0.5, -3 - 0.5 + 0.5
  EXPECT_EQ(got.error, (Floats{0.25f, 0}));
  EXPECT_EQ(got.dhidden, (Floats{-3, 1, 0, 0}));  // 2 (1.5 - 2) = -1 times the weight
  EXPECT_EQ(got.dweight, (Floats{kBefore - 1, kBefore - 2}));
  EXPECT_EQ(got.dbias, Floats{kBefore - 1});
}

TEST(LinearSquaredError, IsItsReference) {
  std::uint64_t seed = 0;
  for (const bool bias : {false, true}) {
    for (const std::int64_t width : {1, 2, 7, 16, 33, 768}) {
      for (const std::int64_t labels : {1, 2, 5}) {
        const Problem problem = make_problem(labels, width, bias, seed += 10);
        const Computed got = compute(problem);
        const Doubles want =
            reference::linear_squared_error(width, as<double>(problem.hidden), as<double>(problem.weight),
                                            as<double>(problem.bias), problem.value);
        for (std::size_t s = 0; s < want.size(); ++s) {
          // Sums are formed in double: one rounding is left, but for what cancels in the distance.
          EXPECT_NEAR(got.error[s], want[s], kRounding * want[s] + 1e-12 * static_cast<double>(width));
          EXPECT_NEAR(std::abs(got.output[s] - static_cast<double>(problem.value[s])), std::sqrt(want[s]),
                      kRounding * std::abs(got.output[s]) + 1e-12);
        }
      }
    }
  }
}

TEST(LinearSquaredError, GradientsAreTheDerivativesOfTheReference) {
  std::uint64_t seed = 1;
  for (const bool bias : {false, true}) {
    for (const std::int64_t width : {1, 3, 17}) {
      for (const std::int64_t labels : {1, 4}) {
        const Problem problem = make_problem(labels, width, bias, seed += 10);
        const Computed got = compute(problem);
        const Doubles want = exact_gradients(problem);
        const auto columns = static_cast<std::size_t>(width);
        Doubles weight_error(columns, 0), weight_size(columns, kBefore);
        double bias_error = 0, bias_size = kBefore;
        for (std::size_t s = 0; s < problem.value.size(); ++s) {
          const double error = slope_error(problem, got, s), size = std::abs(slope(problem, got, s));
          bias_error += error;
          bias_size += size;
          for (std::size_t d = 0; d < columns; ++d) {
            const std::size_t at = s * columns + d;
            EXPECT_NE(want[at], 0);
            EXPECT_NEAR(got.dhidden[at], want[at],
                        (error + 2 * kRounding * size) * std::abs(problem.weight[d]));
            weight_error[d] += (error + kRounding * size) * std::abs(problem.hidden[at]);
            weight_size[d] += size * std::abs(problem.hidden[at]);
          }
        }
        const double additions = kRounding * static_cast<double>(labels + 1);
        for (std::size_t d = 0; d < columns; ++d) {
          EXPECT_NEAR(got.dweight[d] - kBefore, want[problem.hidden.size() + d],
                      weight_error[d] + additions * weight_size[d]);
        }
        if (bias) {
          EXPECT_NEAR(got.dbias[0] - kBefore, want.back(), bias_error + additions * bias_size);
        }
      }
    }
  }
}

TEST(LinearSquaredError, WhatIsFrozenHasNoGradient) {
  const Problem problem = make_problem(3, 5, true, 7);
  const Computed all = compute(problem);
  const Computed frozen = compute(problem, false, false);
  EXPECT_EQ(frozen.dhidden, all.dhidden);
  EXPECT_TRUE(frozen.dweight.empty());
  EXPECT_TRUE(frozen.dbias.empty());
  EXPECT_EQ(compute(problem, true, false).dweight, all.dweight);
  EXPECT_EQ(compute(problem, false, true).dbias, all.dbias);
}

TEST(LinearSquaredError, WithoutABiasItIsZero) {
  Problem problem = make_problem(2, 4, false, 9);
  const Computed without = compute(problem);
  problem.bias = {0};
  const Computed with = compute(problem);
  EXPECT_EQ(without.error, with.error);
  EXPECT_EQ(without.dweight, with.dweight);
}

// A weight of 0 is how a text without a label stands in a pack: it leaves no trace.
TEST(LinearSquaredError, AScaleOfZeroLeavesNoTrace) {
  Problem problem = make_problem(2, 4, true, 11);
  problem.scale = {0, 1};
  const Computed both = compute(problem);
  EXPECT_EQ(Floats(both.dhidden.begin(), both.dhidden.begin() + 4), (Floats{0, 0, 0, 0}));
  Problem second = problem;
  second.hidden.erase(second.hidden.begin(), second.hidden.begin() + 4);
  second.value.erase(second.value.begin());
  second.scale.erase(second.scale.begin());
  EXPECT_EQ(both.dweight, compute(second).dweight);
  EXPECT_EQ(both.dbias, compute(second).dbias);
}

TEST(LinearSquaredError, WhatIsNotFiniteShows) {
  Problem problem{.width = 1, .hidden = {1}, .weight = {1}, .value = {0}, .scale = {1}};
  problem.hidden[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(compute(problem).error[0]));
  problem.hidden[0] = 1e30f;  // its square is no float
  EXPECT_EQ(compute(problem).error[0], std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace surprisal
