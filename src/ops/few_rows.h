// C = alpha A B with so few rows of A that the product is as fast as B comes from memory: linear layers while
// a text is generated. Every element is a dot product summed in one order, so a row's bits do not depend on
// the rows beside it: a text is the same drawn alone and among others.
#pragma once

#include <cstdint>

#include "ops/gemm.h"

namespace surprisal {

// Up to here dnnl_sgemm, which copies B into panels, was slower on AVX-512 (half as fast for 8 rows).
inline constexpr std::int64_t kFewRows = 32;

inline bool takes_few_rows(const Matrix& a, const Matrix& b) {
  return a.rows <= kFewRows && !a.transposed && b.transposed;
}

// On the calling thread; C and `write` as in gemm(). REQUIRES takes_few_rows(a, b).
void few_rows_product(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha);

}  // namespace surprisal
