#include "ops/adamw.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/adamw_reference.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

using Floats = std::vector<float>;

constexpr double kRounding = 0x1p-24;  // half a unit in the last place of 1, f32
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Parameters with their two moments, from zero.
struct State {
  GuardedFloats weight, m, v;

  explicit State(const Floats& start) : weight(start), m(Floats(start.size())), v(Floats(start.size())) {}
  void step(const AdamWStep& options, const Floats& values) {
    GuardedFloats gradient(values);
    adamw(options, weight.span(), gradient.span(), m.span(), v.span());
    EXPECT_TRUE(same_bits(gradient.copy(), values));
  }
};

// torch.optim.AdamW 2.15 in float64, lr 0.1, betas 0.9 0.999, eps 1e-8, weight_decay 0.01.
TEST(AdamW, TakesTheStepsOfPyTorch) {
  const Floats gradients[] = {{0.5f, -1.0f, 0.0f}, {-0.25f, 2.0f, 1e-4f}, {0.125f, 0.5f, -1e-4f}};
  const double want[][3] = {{0.899000002, -1.898000001, 0.499500000},
                            {0.871467299, -1.932712353, 0.424597337},
                            {0.836552918, -1.972344761, 0.428690411}};
  State state({1.0f, -2.0f, 0.5f});
  AdamWStep options = {.learning_rate = 0.1, .weight_decay = 0.01};
  for (options.step = 1; options.step <= 3; ++options.step) {
    state.step(options, gradients[options.step - 1]);
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(state.weight[i], want[options.step - 1][i], 1e-6);
  }
}

// The first step by hand: with correction lr g / |g|; without it lr 0.1 |g| / (sqrt(0.001) |g|), as BERT's
// original.
TEST(AdamW, FirstStepsWithAndWithoutCorrection) {
  for (float gradient : {1e-3f, -0.7f, 12.0f}) {
    const double sign = gradient > 0 ? 1 : -1;
    State corrected({0.0f}), original({0.0f});
    corrected.step({.learning_rate = 0.01, .epsilon = 0}, {gradient});
    original.step({.learning_rate = 0.01, .epsilon = 0, .bias_correction = false}, {gradient});
    EXPECT_NEAR(corrected.weight[0], -0.01 * sign, 1e-8);
    EXPECT_NEAR(original.weight[0], -0.0316227766 * sign, 1e-8);
  }
}

TEST(AdamW, DecayIsMultipliedByTheLearningRateAndNotByTheGradient) {
  State state({4.0f});
  state.step({.learning_rate = 0.1, .weight_decay = 0.5}, {0.0f});
  EXPECT_FLOAT_EQ(state.weight[0], 4.0f * 0.95f);
  EXPECT_EQ(state.m[0], 0.0f);
  EXPECT_EQ(state.v[0], 0.0f);
}

TEST(AdamW, OffMeansOff) {
  State state({4.0f}), at_rest({4.0f});
  state.step({.learning_rate = 0.1, .weight_decay = 0}, {0.0f});
  at_rest.step({.learning_rate = 0, .weight_decay = 0.5}, {1.0f});
  EXPECT_EQ(state.weight[0], 4.0f);
  EXPECT_EQ(at_rest.weight[0], 4.0f);
}

TEST(AdamW, GradientScaleComesFirst) {
  State scaled({1.0f}), plain({1.0f});
  scaled.step({.gradient_scale = 0.25}, {2.0f});
  plain.step({}, {0.5f});
  EXPECT_EQ(scaled.weight[0], plain.weight[0]);
  EXPECT_EQ(scaled.m[0], plain.m[0]);
  EXPECT_EQ(scaled.v[0], plain.v[0]);
}

struct Exact {
  double weight, m = 0, v = 0;
  double size = 0;       // m with |gradient| in place of the gradient: what roundings of m are relative to
  double tolerance = 0;  // of the weight
};

// m and v gather about four roundings a step, the update eight; each is relative to the size of its terms.
void follow(const AdamWStep& options, double gradient, Exact& exact) {
  reference::adamw(options, exact.weight, gradient, exact.m, exact.v);
  exact.size = options.beta1 * exact.size + (1 - options.beta1) * std::abs(gradient * options.gradient_scale);
  const double step = static_cast<double>(options.step);
  const double correct1 = options.bias_correction ? 1 - std::pow(options.beta1, step) : 1;
  const double correct2 = options.bias_correction ? 1 - std::pow(options.beta2, step) : 1;
  const double change =
      options.learning_rate * exact.size / correct1 / (std::sqrt(exact.v / correct2) + options.epsilon);
  exact.tolerance += kRounding * (3 * std::abs(exact.weight) + (8 + 6 * step) * change);
}

void expect_ten_steps(AdamWStep options, std::int64_t size) {
  const Floats start = normal_values(size, 1);
  State state(start);
  std::vector<Exact> exact;
  for (float weight : start) exact.push_back({.weight = weight});
  for (options.step = 1; options.step <= 10; ++options.step) {
    const Floats gradient = normal_values(size, 100 + static_cast<std::uint64_t>(options.step), 1e-2);
    state.step(options, gradient);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      follow(options, gradient[i], exact[i]);
      ASSERT_NEAR(state.weight[static_cast<std::int64_t>(i)], exact[i].weight, exact[i].tolerance)
          << "step " << options.step << " element " << i;
      ASSERT_NEAR(state.v[static_cast<std::int64_t>(i)], exact[i].v,
                  kRounding * 6 * static_cast<double>(options.step) * exact[i].v);
    }
  }
}

TEST(AdamW, TenStepsFollowTheReferenceOnEveryInstructionSet) {
  on_every_instruction_set([] {
    for (std::int64_t size = 1; size <= 70; ++size) {
      expect_ten_steps({.learning_rate = 1e-2, .weight_decay = 0.1, .gradient_scale = 0.3}, size);
    }
    expect_ten_steps({.learning_rate = 1e-3, .epsilon = 1e-6, .weight_decay = 0.01, .bias_correction = false},
                     333);
    expect_ten_steps({.learning_rate = 1e-2, .beta1 = 0, .beta2 = 0.98}, 333);
  });
}

TEST(AdamW, TinyAndHugeGradients) {
  State state({1.0f, 1.0f, 1.0f, 1.0f});
  state.step({.learning_rate = 0.1}, {1e-30f, 1e10f, 1e30f, 0.0f});
  EXPECT_EQ(state.weight[0], 1.0f);  // far below epsilon
  EXPECT_FLOAT_EQ(state.weight[1], 0.9f);
  EXPECT_EQ(state.weight[2], 1.0f);  // its square is infinite: the step is 0, as in PyTorch
  EXPECT_EQ(state.weight[3], 1.0f);
}

TEST(AdamW, NanStaysWithItsElement) {
  Floats gradient(70, 0.5f);
  gradient[37] = kNan;
  State state(Floats(70, 1.0f));
  state.step({}, gradient);
  for (std::int64_t i = 0; i < 70; ++i) EXPECT_EQ(std::isnan(state.weight[i]), i == 37);
}

TEST(AdamW, SameBitsForAnyNumberOfThreads) {
  const Floats start = normal_values(100'003, 1), gradient = normal_values(100'003, 2);
  const auto run = [&] {
    State state(start);
    state.step({.weight_decay = 0.1}, gradient);
    return state.weight.copy();
  };
  expect_same_for_any_threads(run, same_bits<Floats>);
}

double norm_of(const Floats& values) {
  GuardedFloats buffer(values);
  return squared_norm(buffer.span());
}

TEST(SquaredNorm, EqualsThePlainSumForAnySize) {
  on_every_instruction_set([] {
    for (std::int64_t size : {0, 1, 2, 3, 15, 16, 17, 33, 70, 16384, 16385, 50000}) {
      const Floats values = normal_values(size, 3, 2);
      double want = 0;
      for (float value : values) want += static_cast<double>(value) * value;
      // Squares of floats are exact in double: `size` additions on either side.
      ASSERT_NEAR(norm_of(values), want, 2 * 0x1p-53 * static_cast<double>(size) * want) << size;
    }
  });
}

TEST(SquaredNorm, NeitherOverflowsNorLosesSmallNumbers) {
  EXPECT_DOUBLE_EQ(norm_of(Floats(100, 1e30f)), 100 * static_cast<double>(1e30f) * 1e30f);
  EXPECT_DOUBLE_EQ(norm_of(Floats(100, 1e-30f)), 100 * static_cast<double>(1e-30f) * 1e-30f);
}

TEST(SquaredNorm, NanAndInfinityComeThrough) {
  for (std::size_t at : {std::size_t{0}, std::size_t{40}, std::size_t{20000}, std::size_t{20002}}) {
    Floats values(20003, 1.0f);
    values[at] = kNan;
    EXPECT_TRUE(std::isnan(norm_of(values)));
    values[at] = -kInfinity;
    EXPECT_EQ(norm_of(values), std::numeric_limits<double>::infinity());
  }
}

// More elements than a norm has blocks of the usual size.
TEST(SquaredNorm, CountsEveryElementOfALargeArray) {
  EXPECT_EQ(norm_of(Floats((1 << 24) + 5, 1.0f)), (1 << 24) + 5);
}

TEST(SquaredNorm, SameBitsForAnyNumberOfThreads) {
  const Floats values = normal_values(300'001, 4);
  expect_same_for_any_threads([&] { return std::vector<double>{norm_of(values)}; },
                              same_bits<std::vector<double>>);
}

}  // namespace
}  // namespace surprisal
