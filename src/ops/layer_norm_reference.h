// The definition of right for layer_norm.h.
#pragma once

#include <cmath>
#include <cstdint>

namespace surprisal::reference {

// One row: y[D] from x[D].
template <class Number>
void layer_norm(std::int64_t width, const Number* x, const Number* weight, const Number* bias, double epsilon,
                Number* y) {
  using std::sqrt;
  const Number size(static_cast<double>(width));
  Number mean(0), variance(0);
  for (std::int64_t d = 0; d < width; ++d) mean += x[d];
  mean /= size;
  for (std::int64_t d = 0; d < width; ++d) variance += (x[d] - mean) * (x[d] - mean);
  variance /= size;
  const Number rstd = Number(1) / sqrt(variance + Number(epsilon));
  for (std::int64_t d = 0; d < width; ++d) y[d] = (x[d] - mean) * rstd * weight[d] + bias[d];
}

}  // namespace surprisal::reference
