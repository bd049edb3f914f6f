// Three loops. For ThreadSanitizer, and as the definition of right.
#include "ops/gemm.h"

namespace surprisal {
namespace {

float at(const Matrix& m, std::int64_t row, std::int64_t column) {
  return m.transposed ? m.data[column * m.stride + row] : m.data[row * m.stride + column];
}

}  // namespace

void gemm_block(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha) {
  for (std::int64_t row = 0; row < c.rows; ++row) {
    for (std::int64_t column = 0; column < c.columns; ++column) {
      double sum = 0;
      for (std::int64_t k = 0; k < a.columns; ++k) sum += double{at(a, row, k)} * at(b, k, column);
      float& out = c.data[row * c.stride + column];
      out = static_cast<float>(alpha * sum) + (write == Write::over ? 0.0f : write.kept * out);
    }
  }
}

void prepare_gemm() {}

const char* gemm_implementation() {
  return "reference";
}

const char* gemm_kernels() {
  return "scalar";
}

}  // namespace surprisal
