// The definition of right for rms_norm.h.
#pragma once

#include <cmath>
#include <cstdint>

namespace surprisal::reference {

// One row: y[D] from x[D].
template <class Number>
void rms_norm(std::int64_t width, const Number* x, const Number* weight, double epsilon, Number* y) {
  using std::sqrt;
  Number square(0);
  for (std::int64_t d = 0; d < width; ++d) square += x[d] * x[d];
  square /= Number(static_cast<double>(width));
  const Number rstd = Number(1) / sqrt(square + Number(epsilon));
  for (std::int64_t d = 0; d < width; ++d) y[d] = x[d] * rstd * weight[d];
}

}  // namespace surprisal::reference
