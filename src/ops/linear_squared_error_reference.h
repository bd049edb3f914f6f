// The definition of right for linear_squared_error.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace surprisal::reference {

// hidden [S, width], weight [width], bias [1] (or empty); returns the squared errors, [S].
template <class Number>
std::vector<Number> linear_squared_error(std::int64_t width, const std::vector<Number>& hidden,
                                         const std::vector<Number>& weight, const std::vector<Number>& bias,
                                         std::span<const float> value) {
  const auto columns = static_cast<std::size_t>(width);
  std::vector<Number> error;
  for (std::size_t s = 0; s < value.size(); ++s) {
    Number distance = (bias.empty() ? Number(0) : bias[0]) - Number(static_cast<double>(value[s]));
    for (std::size_t d = 0; d < columns; ++d) distance += hidden[s * columns + d] * weight[d];
    error.push_back(distance * distance);
  }
  return error;
}

}  // namespace surprisal::reference
