#include "ops/activation.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/activation_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kEpsilon = 0x1p-24;  // half a unit in the last place of 1, f32
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr Activation kAll[] = {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu,
                               Activation::relu, Activation::relu2,     Activation::sigmoid,
                               Activation::silu, Activation::tanh};

std::vector<float> forward(Activation kind, const std::vector<float>& x) {
  GuardedFloats in(x), out(in.size());
  activation_forward(kind, in.tensor(), out.tensor());
  return out.copy();
}

std::vector<float> backward(Activation kind, const std::vector<float>& x, const std::vector<float>& dy) {
  GuardedFloats in(x), gradient(dy), out(in.size());
  activation_backward(kind, in.tensor(), gradient.tensor(), out.tensor());
  return out.copy();
}

float forward_one(Activation kind, float x) {
  return forward(kind, {x})[0];
}
float backward_one(Activation kind, float x) {
  return backward(kind, {x}, {1})[0];
}

// Every 4999th float of magnitude 2^-31 ... 16, with both signs.
std::vector<float> dense_grid() {
  std::vector<float> grid;
  for (std::uint32_t bits = 0x30000000; bits < 0x41800000; bits += 4999) {
    grid.push_back(std::bit_cast<float>(bits));
    grid.push_back(-std::bit_cast<float>(bits));
  }
  return grid;
}

// The formula in double, in the form that keeps the lower tail.
double exact_value(Activation kind, double x) {
  if (kind == Activation::gelu) return x / 2 * std::erfc(-x * std::sqrt(0.5));
  if (kind == Activation::gelu_tanh)
    return x / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return reference::activation(kind, x);
}

// |argument| of the exponential in the formula: a relative error of it is multiplied by its size.
double exponent(Activation kind, double x) {
  switch (kind) {
    case Activation::gelu:
      return x * x / 2;
    case Activation::gelu_tanh:
      return 2 * std::sqrt(2 / M_PI) * std::abs(x + 0.044715 * x * x * x);
    case Activation::quick_gelu:
      return 1.702 * std::abs(x);
    case Activation::sigmoid:
    case Activation::silu:
      return std::abs(x);
    default:
      return 0;
  }
}

// About eight roundings after the exponential, and three in its argument.
double relative_tolerance(Activation kind, double x) {
  return kEpsilon * (8 + 3 * exponent(kind, x));
}

TEST(Activation, FindsTheNamesOfConfigurations) {
  EXPECT_EQ(find_activation("gelu"), Activation::gelu);
  EXPECT_EQ(find_activation("gelu_new"), Activation::gelu_tanh);
  EXPECT_EQ(find_activation("gelu_pytorch_tanh"), Activation::gelu_tanh);
  EXPECT_EQ(find_activation("swish"), Activation::silu);
  EXPECT_EQ(find_activation("silu"), Activation::silu);
  EXPECT_EQ(find_activation("relu"), Activation::relu);
  EXPECT_EQ(find_activation("tanh"), Activation::tanh);
  for (const char* name : {"gelu_accurate", "gelu_fast", "gelu_python_tanh"}) {
    EXPECT_EQ(find_activation(name), Activation::gelu_tanh) << name;
  }
  EXPECT_EQ(find_activation("gelu_python"), Activation::gelu);
  EXPECT_EQ(find_activation("quick_gelu"), Activation::quick_gelu);
  EXPECT_EQ(find_activation("relu2"), Activation::relu2);
  EXPECT_EQ(find_activation("sigmoid"), Activation::sigmoid);
  EXPECT_EQ(find_activation("GELU"), std::nullopt);
  EXPECT_EQ(find_activation(""), std::nullopt);
  EXPECT_EQ(activation_names(),
            "gelu, gelu_accurate, gelu_fast, gelu_new, gelu_python, gelu_python_tanh, gelu_pytorch_tanh, "
            "quick_gelu, relu, relu2, sigmoid, silu, swish, tanh");
}

TEST(Activation, ReferenceHasTheTextbookValues) {
  EXPECT_NEAR(reference::activation(Activation::gelu, 1.0), 0.8413447460685429, 1e-15);
  EXPECT_NEAR(reference::activation(Activation::gelu_tanh, 1.0), 0.8411919906082768, 1e-15);
  EXPECT_NEAR(reference::activation(Activation::silu, 1.0), 0.7310585786300049, 1e-15);
  EXPECT_NEAR(reference::activation(Activation::tanh, 1.0), 0.7615941559557649, 1e-15);
  EXPECT_NEAR(reference::activation(Activation::sigmoid, 1.0), 0.7310585786300049, 1e-15);
  EXPECT_NEAR(reference::activation(Activation::quick_gelu, 1.0), 0.8457957659328212, 1e-15);
  EXPECT_EQ(reference::activation(Activation::relu2, 3.0), 9);
  EXPECT_EQ(reference::activation(Activation::relu, -1.0), 0);
  for (double x : {-3.0, -0.5, 0.0, 0.5, 3.0}) {  // where 1 + erf does not cancel much, both forms agree
    for (Activation kind : kAll) EXPECT_NEAR(exact_value(kind, x), reference::activation(kind, x), 1e-15);
  }
}

TEST(Activation, ForwardKeepsItsRelativeErrorInBothTails) {
  const std::vector<float> x = dense_grid();
  on_every_instruction_set([&] {
    for (Activation kind : kAll) {
      const std::vector<float> y = forward(kind, x);
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double want = exact_value(kind, x[i]);
        const double tolerance = relative_tolerance(kind, x[i]) * std::abs(want) + 1e-37;  // + subnormals
        ASSERT_NEAR(y[i], want, tolerance)
            << activation_names() << " number " << static_cast<int>(kind) << " at " << x[i];
      }
    }
  });
}

// With FMA the rounding of x^2 is given back, and the error does not grow into the tail.
TEST(Activation, GeluIsExactToEightRoundingsWhereThereIsFma) {
  if (!(hwy::SupportedTargets() & (HWY_AVX2 | HWY_AVX3 | HWY_AVX3_DL | HWY_NEON))) GTEST_SKIP() << "no FMA";
  std::vector<float> x;  // Phi(-13) is about the smallest normal float
  for (float at = -13; at < 13; at += 0x1p-12f) x.push_back(at);
  const std::vector<float> y = forward(Activation::gelu, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double want = exact_value(Activation::gelu, x[i]);
    ASSERT_NEAR(y[i], want, 8 * kEpsilon * std::abs(want)) << x[i];
  }
}

TEST(Activation, BackwardIsTheDerivativeOfTheReference) {
  const std::vector<float> x = dense_grid();
  on_every_instruction_set([&] {
    for (Activation kind : kAll) {
      const std::vector<float> dx = backward(kind, x, std::vector<float>(x.size(), 1.0f));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto value = [&](auto point) { return reference::activation(kind, point[0]); };
        const double want = complex_step(value, {x[i]})[0];
        // f = x s: f' = s + x s', and each term has the relative error of a value.
        // The sigmoid has no such factor.
        const double gate = kind == Activation::sigmoid ? want : exact_value(kind, x[i]) / x[i];
        const double size = std::abs(gate) + std::abs(want - gate);
        ASSERT_NEAR(dx[i], want, relative_tolerance(kind, x[i]) * size + 1e-15)
            << "number " << static_cast<int>(kind) << " at " << x[i];
      }
    }
  });
}

TEST(Activation, LargeNumbersSaturate) {
  on_every_instruction_set([] {
    for (Activation kind : {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu, Activation::relu,
                            Activation::silu}) {
      EXPECT_EQ(forward_one(kind, kLargest), kLargest);
      EXPECT_EQ(forward_one(kind, kInfinity), kInfinity);
      EXPECT_EQ(forward_one(kind, -kLargest), 0.0f);
      EXPECT_EQ(backward_one(kind, kLargest), 1.0f);
      EXPECT_EQ(backward_one(kind, -kLargest), 0.0f);
      EXPECT_EQ(forward_one(kind, 0.0f), 0.0f);
    }
    EXPECT_EQ(forward_one(Activation::tanh, kInfinity), 1.0f);
    EXPECT_EQ(forward_one(Activation::tanh, -kInfinity), -1.0f);
    EXPECT_EQ(backward_one(Activation::tanh, -kLargest), 0.0f);
    EXPECT_EQ(backward_one(Activation::relu, 0.0f), 0.0f);
    EXPECT_EQ(forward_one(Activation::relu2, -kInfinity), 0.0f);
    EXPECT_EQ(backward_one(Activation::relu2, -kInfinity), 0.0f);
    EXPECT_EQ(forward_one(Activation::sigmoid, kInfinity), 1.0f);
    EXPECT_EQ(forward_one(Activation::sigmoid, -kInfinity), 0.0f);
    EXPECT_EQ(backward_one(Activation::sigmoid, kLargest), 0.0f);
    EXPECT_EQ(backward_one(Activation::sigmoid, -kLargest), 0.0f);
  });
}

TEST(Activation, NanComesThroughAndStaysAlone) {
  on_every_instruction_set([] {
    for (Activation kind : kAll) {
      std::vector<float> x(70, 0.5f), dy(70, 1.0f);
      x[37] = kNan;
      const std::vector<float> y = forward(kind, x);
      for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i == 37);
      if (kind != Activation::relu) {
        EXPECT_TRUE(std::isnan(backward(kind, x, dy)[37]));
      }
      dy[5] = kNan;
      EXPECT_TRUE(std::isnan(backward(kind, x, dy)[5]));
      EXPECT_FALSE(std::isnan(backward(kind, x, dy)[6]));
    }
  });
}

TEST(Activation, BitsDependNeitherOnPlaceNorOnSizeNorOnAliasing) {
  const std::vector<float> x = normal_values(200, 7, 2), dy = normal_values(200, 8);
  on_every_instruction_set([&] {
    for (Activation kind : kAll) {
      const std::vector<float> y = forward(kind, x), dx = backward(kind, x, dy);
      for (std::int64_t size = 1; size <= 70; ++size) {
        const std::vector<float> part(x.begin() + 100, x.begin() + 100 + size);
        const std::vector<float> gradient(dy.begin() + 100, dy.begin() + 100 + size);
        GuardedFloats value(part), in(part), slope(gradient);
        activation_forward(kind, value.tensor(), value.tensor());
        activation_backward(kind, in.tensor(), slope.tensor(), slope.tensor());
        ASSERT_TRUE(same_bits(value.copy(), {y.begin() + 100, y.begin() + 100 + size})) << size;
        ASSERT_TRUE(same_bits(slope.copy(), {dx.begin() + 100, dx.begin() + 100 + size})) << size;
      }
    }
  });
}

TEST(Activation, SameBitsForAnyNumberOfThreads) {
  const std::vector<float> x = normal_values(100'003, 3, 3), dy = normal_values(100'003, 4);
  for (Activation kind : kAll) {
    expect_same_for_any_threads([&] { return forward(kind, x); }, same_bits<std::vector<float>>);
    expect_same_for_any_threads([&] { return backward(kind, x, dy); }, same_bits<std::vector<float>>);
  }
}

TEST(Activation, NothingIsDoneForNothing) {
  GuardedFloats empty(0);
  activation_forward(Activation::gelu, empty.tensor(), empty.tensor());
  activation_backward(Activation::gelu, empty.tensor(), empty.tensor(), empty.tensor());
}

}  // namespace
}  // namespace surprisal
