#include "ops/gated_activation.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/gated_activation_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr Activation kAll[] = {Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu,
                               Activation::relu, Activation::relu2,     Activation::sigmoid,
                               Activation::silu, Activation::tanh};

using Floats = std::vector<float>;

Floats forward(Activation kind, const Floats& x, std::int64_t width) {
  const std::int64_t rows = width > 0 ? std::ssize(x) / (2 * width) : 0;
  GuardedFloats in(x), out(rows * width);
  gated_activation_forward(kind, in.tensor({rows, 2 * width}), out.tensor({rows, width}));
  return out.copy();
}

Floats backward(Activation kind, const Floats& x, const Floats& dy, std::int64_t width) {
  const std::int64_t rows = std::ssize(dy) / width;
  GuardedFloats in(x), gradient(2 * rows * width);
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(dy.data() + row * width, width, gradient.data() + row * 2 * width);
  }
  gated_activation_backward(kind, in.tensor({rows, 2 * width}), gradient.tensor({rows, 2 * width}));
  return gradient.copy();
}

TEST(GatedActivation, IsTheFirstHalfTimesTheActivationOfTheSecond) {
  EXPECT_THAT(forward(Activation::relu, {2, 3, 5, -7}, 2), testing::ElementsAre(10, 0));
  EXPECT_THAT(forward(Activation::relu2, {1, -1, 3, 2, 5, 7, 1, 1}, 2), testing::ElementsAre(9, -4, 5, 7));
  EXPECT_NEAR(forward(Activation::gelu, {3, 1}, 1)[0], 3 * 0.8413447460685429, 1e-6);
  EXPECT_NEAR(forward(Activation::silu, {3, 1}, 1)[0], 3 * 0.7310585786300049, 1e-6);
}

// The activation is off by some ten roundings where |x| < 6 (activation_test.cc), the product by one more.
TEST(GatedActivation, ForwardEqualsTheReferenceForAnyWidth) {
  on_every_instruction_set([] {
    for (Activation kind : kAll) {
      for (std::int64_t width = 1; width <= 70; width += width < 20 ? 1 : 7) {
        const Floats x = normal_values(3 * 2 * width, 1);
        const Floats y = forward(kind, x, width);
        const std::vector<double> exact(x.begin(), x.end());
        std::vector<double> want(static_cast<std::size_t>(width));
        for (std::int64_t row = 0; row < 3; ++row) {
          reference::gated_activation(kind, width, exact.data() + row * 2 * width, want.data());
          for (std::int64_t j = 0; j < width; ++j) {
            ASSERT_NEAR(y[static_cast<std::size_t>(row * width + j)], want[static_cast<std::size_t>(j)], 6e-6)
                << static_cast<int>(kind) << " " << width << " " << j;
          }
        }
      }
    }
  });
}

TEST(GatedActivation, BackwardIsTheDerivativeOfTheReference) {
  on_every_instruction_set([] {
    for (Activation kind : kAll) {
      for (std::int64_t width : {1, 5, 19}) {
        const Floats x = normal_values(2 * width, 2), dy = normal_values(width, 3);
        const auto loss = [&](std::span<const std::complex<double>> point) {
          std::vector<std::complex<double>> y(dy.size());
          reference::gated_activation(kind, width, point.data(), y.data());
          std::complex<double> sum = 0;
          for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * static_cast<double>(dy[i]);
          return sum;
        };
        const std::vector<double> want = complex_step(loss, {x.begin(), x.end()});
        const Floats dx = backward(kind, x, dy, width);
        for (std::size_t i = 0; i < dx.size(); ++i) {
          ASSERT_NEAR(dx[i], want[i], 6e-6) << static_cast<int>(kind) << " " << width << " " << i;
        }
      }
    }
  });
}

// Neither the place in the row nor the row changes the bits.
TEST(GatedActivation, BitsDependNeitherOnPlaceNorOnSize) {
  const Floats x = normal_values(70, 4), gate = normal_values(70, 5), dy = normal_values(70, 6);
  on_every_instruction_set([&] {
    Floats both = x;
    both.insert(both.end(), gate.begin(), gate.end());
    const Floats y = forward(Activation::gelu, both, 70), dx = backward(Activation::gelu, both, dy, 70);
    for (std::size_t j = 0; j < 70; ++j) {
      ASSERT_EQ(forward(Activation::gelu, {x[j], gate[j]}, 1)[0], y[j]) << j;
      const Floats one = backward(Activation::gelu, {x[j], gate[j]}, {dy[j]}, 1);
      ASSERT_EQ(one[0], dx[j]) << j;
      ASSERT_EQ(one[1], dx[70 + j]) << j;
    }
  });
}

TEST(GatedActivation, NanStaysAlone) {
  Floats x(2 * 37, 0.5f);
  x[5] = std::numeric_limits<float>::quiet_NaN();
  const Floats y = forward(Activation::gelu, x, 37), dx = backward(Activation::gelu, x, Floats(37, 1.0f), 37);
  for (std::size_t j = 0; j < 37; ++j) {
    EXPECT_EQ(std::isnan(y[j]), j == 5);
    EXPECT_FALSE(std::isnan(dx[j]));
    EXPECT_EQ(std::isnan(dx[37 + j]), j == 5);
  }
}

TEST(GatedActivation, SameBitsForAnyNumberOfThreads) {
  const Floats x = normal_values(211 * 2 * 300, 7), dy = normal_values(211 * 300, 8);
  expect_same_for_any_threads([&] { return forward(Activation::gelu, x, 300); }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return backward(Activation::silu, x, dy, 300); }, same_bits<Floats>);
}

TEST(GatedActivation, NothingIsDoneForNothing) {
  EXPECT_TRUE(forward(Activation::gelu, {}, 0).empty());
}

}  // namespace
}  // namespace surprisal
