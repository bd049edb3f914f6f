// How exactly a whole model must agree with another computation of it.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "model/transformer.h"

namespace surprisal {

// Rounding of f32, u = 6e-8, through some forty sums and products in a row, which add up in quadrature to
// sqrt(40) u = 4e-7 of the scale that is summed at; that scale is up to about ten times the result's, as
// logits and normalisations cancel. Wrong mathematics is off by more than 1e-3.
inline constexpr double kOfTensor = 2e-5;
// A tensor whose gradient cancels (biases before a norm, key biases) keeps the rounding of its terms.
inline constexpr double kOfModel = 2e-6;
inline constexpr float kOfSurprisal = 5e-6f;

inline double largest(std::span<const float> values) {
  double most = 0;
  for (float value : values) most = std::max(most, std::abs(static_cast<double>(value)));
  return most;
}

inline void expect_same_gradients(const ParameterTable& table, const std::vector<float>& got,
                                  const std::vector<float>& want) {
  ASSERT_EQ(got.size(), want.size());
  const double of_model = kOfModel * largest(want);
  for (const Parameter& parameter : table.parameters) {
    const auto begin = static_cast<std::size_t>(parameter.offset),
               count = static_cast<std::size_t>(parameter.shape.elements());
    const double tolerance = of_model + kOfTensor * largest(std::span(want).subspan(begin, count));
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_NEAR(got[begin + i], want[begin + i], tolerance) << parameter.name << " element " << i;
    }
  }
}

inline Transformer make_model(const ModelConfig& config, Mode mode = Mode::train,
                              Capacity capacity = {.tokens = 64, .labels = 64}) {
  return Transformer(config, mode, capacity, 1 << 12);  // a head that takes several chunks
}

}  // namespace surprisal
