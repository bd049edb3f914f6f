// The seam behind which matrix products stand (DESIGN.md section 4). The output is cut into blocks whose size
// depends on the shapes alone, one thread a block, and the inner dimension is never split between threads: a
// product has the same bits for any number of threads. src/ops/gemm_onednn.cc or src/ops/gemm_reference.cc is
// what computes a block.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "ops/write.h"

namespace surprisal {

// A matrix as it is used, [rows, columns]; stored row-major with `stride` elements between rows, or
// transposed: stored [columns, rows].
struct Matrix {
  float* data = nullptr;
  std::int64_t rows = 0, columns = 0;
  std::int64_t stride = 0;
  bool transposed = false;

  Matrix transpose() const { return {data, columns, rows, stride, !transposed}; }
  // Rows [begin, end), or columns [begin, end), of the matrix as it is used.
  Matrix row_range(std::int64_t begin, std::int64_t end) const {
    return {data + (transposed ? begin : begin * stride), end - begin, columns, stride, transposed};
  }
  Matrix column_range(std::int64_t begin, std::int64_t end) const {
    return transpose().row_range(begin, end).transpose();
  }
};

// A whole f32 tensor of rank 2.
inline Matrix matrix(const Tensor& tensor) {
  return {tensor.f32(), tensor.shape[0], tensor.shape[1], tensor.shape[1], false};
}

// C [M, N] = alpha A [M, K] B [K, N], with what `write` keeps of C; then every row of C gets `bias` [N]
// added, if given. C is not transposed and overlaps neither A nor B. K == 0 gives what is kept (plus bias).
// Throws Error (memory) where the block's operands cannot be copied. REQUIRES f32.
void gemm(const Matrix& a, const Matrix& b, const Matrix& c, Write write = Write::over,
          const float* bias = nullptr, float alpha = 1.0f);

// The same product of one block, on the calling thread alone: what gemm() and the attention tiles call.
void gemm_block(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha = 1.0f);

// Makes now whatever kernels are made at their first use, so that none is when memory has run short.
void prepare_gemm();

// "oneDNN 2.6.3", "reference": for doctor and environment.json.
const char* gemm_implementation();
// The instruction set that its kernels are chosen for here, by the library's own name for it: "AVX2",
// "AVX512_CORE_BF16"; "scalar" of the reference.
const char* gemm_kernels();

}  // namespace surprisal
