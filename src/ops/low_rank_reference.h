// The definition of right for low_rank.h.
#pragma once

#include <cstdint>

namespace surprisal::reference {

// y[rows, out] += scale x[rows, in] a[rank, in]^T b[out, rank]^T
template <class Number>
void low_rank(std::int64_t rows, std::int64_t in, std::int64_t out, std::int64_t rank, const Number* x,
              const Number* a, const Number* b, double scale, Number* y) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t r = 0; r < rank; ++r) {
      Number inner = 0;
      for (std::int64_t k = 0; k < in; ++k) inner += x[i * in + k] * a[r * in + k];
      for (std::int64_t j = 0; j < out; ++j) y[i * out + j] += scale * inner * b[j * rank + r];
    }
  }
}

}  // namespace surprisal::reference
