// The definition of right for linear.h.
#pragma once

#include <cstdint>

namespace surprisal::reference {

// y[rows, out] = x[rows, in] weight[out, in]^T + bias[out]; bias may be null.
template <class Number>
void linear(std::int64_t rows, std::int64_t in, std::int64_t out, const Number* x, const Number* weight,
            const Number* bias, Number* y) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < out; ++j) {
      Number sum = bias ? bias[j] : Number(0);
      for (std::int64_t k = 0; k < in; ++k) sum += x[i * in + k] * weight[j * in + k];
      y[i * out + j] = sum;
    }
  }
}

}  // namespace surprisal::reference
