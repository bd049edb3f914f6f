#include "ops/choice_cross_entropy.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "ops/choice_cross_entropy_reference.h"
#include "tests/ops/complex_step.h"

namespace surprisal {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

// Only what the op reads: targets with these weights, and choices over them.
Stream make_stream(const Floats& weights, std::vector<Choice> choices) {
  Stream stream;
  for (float weight : weights) stream.target.push_back({0, 0, weight});
  stream.choice = std::move(choices);
  return stream;
}

struct Chosen {
  Floats surprisal;
  std::vector<std::int32_t> predicted;
};

Chosen choose(const Stream& stream, const Floats& surprisal) {
  Chosen chosen{Floats(stream.choice.size()), std::vector<std::int32_t>(stream.choice.size())};
  choice_cross_entropy_forward(stream, surprisal, chosen.surprisal, chosen.predicted);
  return chosen;
}

// -1 where a target belongs to no choice.
Floats slopes(const Stream& stream, const Floats& surprisal, const Floats& scale) {
  Floats target_scale(stream.target.size(), -1);
  choice_cross_entropy_backward(stream, surprisal, scale, target_scale);
  return target_scale;
}

// Options of 1, 3 and 2 targets, then one choice of two single ones; targets 0 and 6 are ordinary.
Stream mixed() {
  return make_stream({1, 0.5f, 1, 0.25f, 2, 1, 1, 1, 0.75f, 3, 1},
                     {{.option = {{1, 2}, {2, 5}, {5, 6}}, .answer = 1},
                      {.option = {{7, 8}, {8, 10}}, .answer = 0, .weight = 0.5f}});
}

TEST(ChoiceCrossEntropy, AnExampleByHand) {
  // s = (2, 1 + 0.5): the surprisal of the second is log(1 + e^-0.5).
  const Stream stream = make_stream({1, 1, 0.5f}, {{.option = {{0, 1}, {1, 3}}, .answer = 1}});
  const Floats surprisal{2, 1, 1};
  const Chosen chosen = choose(stream, surprisal);
  EXPECT_FLOAT_EQ(chosen.surprisal[0], static_cast<float>(std::log(1 + std::exp(-0.5))));
  EXPECT_EQ(chosen.predicted[0], 1);
  const double wrong = 1 / (1 + std::exp(0.5));  // softmax(-s) of the first
  const Floats got = slopes(stream, surprisal, {4});
  EXPECT_FLOAT_EQ(got[0], static_cast<float>(-4 * wrong));
  EXPECT_FLOAT_EQ(got[1], static_cast<float>(4 * wrong));
  EXPECT_FLOAT_EQ(got[2], static_cast<float>(4 * wrong * 0.5));
}

TEST(ChoiceCrossEntropy, IsItsReference) {
  Random random({.seed = 3});
  for (int trial = 0; trial < 100; ++trial) {
    const Stream stream = mixed();
    Floats surprisal;
    Doubles exact;
    for (std::size_t t = 0; t < stream.target.size(); ++t) {
      surprisal.push_back(static_cast<float>(random.uniform() * 8));
      exact.push_back(surprisal.back());
    }
    const Chosen chosen = choose(stream, surprisal);
    const Doubles want = reference::choice_cross_entropy(stream, exact);
    for (std::size_t c = 0; c < want.size(); ++c) {
      EXPECT_NEAR(chosen.surprisal[c], want[c], 1e-7 * (1 + want[c]));
    }
  }
}

TEST(ChoiceCrossEntropy, GradientIsTheDerivativeOfTheReference) {
  const Stream stream = mixed();
  const Doubles exact{9, 1.5, 0.25, 2, 0.5, 1.75, 9, 3.5, 0.125, 1, 9};
  const Floats scale{0.75f, -2};
  auto loss = [&](std::span<const std::complex<double>> x) {
    const auto choices = reference::choice_cross_entropy<std::complex<double>>(stream, {x.begin(), x.end()});
    return choices[0] * 0.75 - choices[1] * 2.0;
  };
  const Doubles want = complex_step(loss, exact);
  const Floats got = slopes(stream, Floats(exact.begin(), exact.end()), scale);
  for (std::size_t t = 0; t < exact.size(); ++t) {
    if (t == 0 || t == 6 || t == 10) {
      EXPECT_EQ(got[t], -1) << "an ordinary target is left alone";
      EXPECT_EQ(want[t], 0);
    } else {
      EXPECT_NE(want[t], 0);
      EXPECT_NEAR(got[t], want[t], 1e-6 * std::abs(want[t])) << t;
    }
  }
}

TEST(ChoiceCrossEntropy, OneOptionCostsNothing) {
  const Stream stream = make_stream({1, 1}, {{.option = {{0, 2}}}});
  for (float value : {0.0f, 3.0f, 1e30f}) {
    EXPECT_EQ(choose(stream, {value, 1}).surprisal[0], 0);
    EXPECT_EQ(slopes(stream, {value, 1}, {5}), (Floats{0, 0}));
  }
}

// exp(-1e5) is 0 and exp(1e5) infinite in double: neither may be formed.
TEST(ChoiceCrossEntropy, NoSurprisalIsTooLarge) {
  const Stream stream = make_stream({1, 1, 1}, {{.option = {{0, 1}, {1, 2}, {2, 3}}, .answer = 1}});
  EXPECT_EQ(choose(stream, {1e5f, 3, 2e5f}).surprisal[0], 0);
  EXPECT_EQ(choose(stream, {1e5f, 3e5f, 2e5f}).surprisal[0], 2e5f);
  EXPECT_FLOAT_EQ(choose(stream, {1e5f, 1e5f, 1e5f}).surprisal[0], std::log(3.0f));
  EXPECT_EQ(slopes(stream, {1e5f, 3, 2e5f}, {1}), (Floats{0, 0, 0}));
  EXPECT_EQ(slopes(stream, {1e5f, 3e5f, 2e5f}, {1}), (Floats{-1, 1, 0}));
  EXPECT_FLOAT_EQ(slopes(stream, {1e5f, 1e5f, 1e5f}, {1})[1], 2.0f / 3);
}

TEST(ChoiceCrossEntropy, OfEqualOptionsTheFirstIsPredicted) {
  const Stream stream = make_stream({1, 1, 1}, {{.option = {{0, 1}, {1, 2}, {2, 3}}, .answer = 2}});
  EXPECT_EQ(choose(stream, {2, 1, 1}).predicted[0], 1);
  EXPECT_EQ(choose(stream, {1, 1, 1}).predicted[0], 0);
}

TEST(ChoiceCrossEntropy, WhatIsNotFiniteShows) {
  const Stream stream = make_stream({1, 1}, {{.option = {{0, 1}, {1, 2}}}});
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isnan(choose(stream, {kNan, 1}).surprisal[0]));
  EXPECT_TRUE(std::isnan(choose(stream, {1, kNan}).surprisal[0]));
  EXPECT_EQ(choose(stream, {kInfinity, 1}).surprisal[0], kInfinity);
}

}  // namespace
}  // namespace surprisal
