#include "ops/softmax_row.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Floats = std::vector<float>;

// Every tail of every register, and both sides of the pieces that sums are formed in.
const std::vector<std::int64_t>& lengths() {
  static const std::vector<std::int64_t> all = [] {
    std::vector<std::int64_t> sizes(70);
    std::iota(sizes.begin(), sizes.end(), 0);
    for (std::int64_t more : {127, 211, 1000, 1023, 1024, 1025, 2047, 2049, 5000}) sizes.push_back(more);
    return sizes;
  }();
  return all;
}

TEST(SoftmaxRow, MaximumStandsAnywhere) {
  on_every_instruction_set([] {
    EXPECT_EQ(row_max(nullptr, 0), -kInfinity);
    for (std::int64_t count : lengths()) {
      if (count > 130) continue;
      for (std::int64_t at = 0; at < count; ++at) {
        Floats values = normal_values(count, 1, 1, -50);
        values[static_cast<std::size_t>(at)] = -40;
        GuardedFloats row(values);
        ASSERT_EQ(row_max(row.data(), count), -40) << at << " of " << count;
      }
    }
  });
}

// Subtracting rounds once, relative to the difference, which exp multiplies by; Highway's exp errs by at most
// an ulp, that is two roundings.
double exp_tolerance(double difference) {
  return kRounding * (std::abs(difference) + 3) * std::exp(difference) + 0x1p-149;
}

void expect_exponentials(const Floats& values, float shift) {
  const std::int64_t count = static_cast<std::int64_t>(values.size());
  GuardedFloats row(values), untouched(values);
  const double sum = exp_row(row.data(), count, shift);
  double want = 0, tolerance = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    const double difference = static_cast<double>(values[static_cast<std::size_t>(j)]) - shift;
    want += std::exp(difference);
    tolerance += exp_tolerance(difference);
    // Below the smallest normal number kernels may give 0.
    const double least = std::exp(difference) < 0x1p-126 ? 0x1p-126 : 0;
    ASSERT_NEAR(row[j], std::exp(difference), exp_tolerance(difference) + least) << difference;
  }
  // Pieces of 1024 in f32, over at least one lane.
  tolerance += kRounding * static_cast<double>(std::min<std::int64_t>(count, 1024)) * want;
  ASSERT_NEAR(sum, want, tolerance + 1e-300) << count;
  EXPECT_EQ(sum_exp_row(untouched.data(), count, shift), sum) << "one sum, stored or not";
  EXPECT_TRUE(same_bits(untouched.copy(), values));
}

TEST(SoftmaxRow, ExponentialsAndTheirSum) {
  on_every_instruction_set([] {
    for (std::int64_t count : lengths()) {
      expect_exponentials(normal_values(count, 2, 3), 7.5f);
      expect_exponentials(Floats(static_cast<std::size_t>(count), 1e4f), 1e4f);  // all equal: 1 each
    }
    Floats wide;
    for (float value = -120; value <= 0; value += 0.37f) wide.push_back(value);
    expect_exponentials(wide, 0);
    for (float& value : wide) value -= 1e4f;
    expect_exponentials(wide, -1e4f);
  });
}

TEST(SoftmaxRow, FarBelowTheMaximumIsZero) {
  on_every_instruction_set([] {
    GuardedFloats row(Floats{0, -150, -1e4f, -1e30f, -kInfinity, 0, -kInfinity, -1e38f, -200, -3e38f, 0,
                             -1e9f, -1e10f, -1e11f, -1e12f, -1e13f, -1e14f, -1e15f, 0});
    EXPECT_EQ(exp_row(row.data(), row.size(), 0), 4);
    for (std::int64_t j : {1, 2, 3, 4, 6, 7, 8, 9, 11, 17}) EXPECT_EQ(row[j], 0) << j;
  });
}

TEST(SoftmaxRow, WhatIsNotANumberStaysSo) {
  on_every_instruction_set([] {
    for (std::int64_t at = 0; at < 37; ++at) {
      for (float bad : {kNan, kInfinity}) {  // infinity less the maximum, itself
        Floats values = normal_values(37, 3);
        values[static_cast<std::size_t>(at)] = bad;
        const float shift = bad == kInfinity ? kInfinity : 3;
        GuardedFloats row(values);
        ASSERT_TRUE(std::isnan(sum_exp_row(row.data(), 37, shift))) << at;
        ASSERT_TRUE(std::isnan(exp_row(row.data(), 37, shift))) << at;
        ASSERT_TRUE(std::isnan(row[at])) << at;
      }
    }
  });
}

TEST(SoftmaxRow, ScaleMultipliesEveryValue) {
  on_every_instruction_set([] {
    for (std::int64_t count : lengths()) {
      const Floats values = normal_values(count, 4);
      GuardedFloats row(values);
      scale_row(row.data(), count, 0.3f);
      for (std::int64_t j = 0; j < count; ++j) ASSERT_EQ(row[j], values[static_cast<std::size_t>(j)] * 0.3f);
    }
  });
}

TEST(SoftmaxRow, GradientGoesThroughTheSoftmax) {
  on_every_instruction_set([] {
    for (std::int64_t count : lengths()) {
      GuardedFloats probability(normal_values(count, 5));
      const Floats arriving = normal_values(count, 6);
      GuardedFloats gradient(arriving);
      softmax_gradient_row(probability.data(), gradient.data(), count, 0.25f, 1.75f);
      for (std::int64_t j = 0; j < count; ++j) {
        const double want =
            1.75 * probability[j] * (static_cast<double>(arriving[static_cast<std::size_t>(j)]) - 0.25);
        ASSERT_NEAR(gradient[j], want, 3 * kRounding * std::abs(want)) << j << " of " << count;
      }
    }
  });
}

}  // namespace
}  // namespace surprisal
