// The definition of right for decomposed.h.
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <vector>

namespace surprisal::reference {

// |W_j + scale (B A)_j|, of the real parts: a constant to the gradient.
template <class Number>
std::vector<double> adapted_norms(std::int64_t in, std::int64_t out, std::int64_t rank, const Number* weight,
                                  const Number* a, const Number* b, double scale) {
  std::vector<double> norms;
  for (std::int64_t j = 0; j < out; ++j) {
    double sum = 0;
    for (std::int64_t k = 0; k < in; ++k) {
      double adapted = std::real(weight[j * in + k]);
      for (std::int64_t r = 0; r < rank; ++r) {
        adapted += scale * std::real(b[j * rank + r]) * std::real(a[r * in + k]);
      }
      sum += adapted * adapted;
    }
    norms.push_back(std::sqrt(sum));
  }
  return norms;
}

// What the branch adds to the layer's y, from base = d W^T and low = scale (d A^T) B^T.
template <class Number>
Number decomposed(const Number& base, const Number& low, const Number& magnitude, double norm) {
  return magnitude / norm * (base + low) - base;
}

}  // namespace surprisal::reference
