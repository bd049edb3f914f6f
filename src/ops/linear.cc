#include "ops/linear.h"

#include <algorithm>
#include <cassert>

#include "core/parallel.h"
#include "ops/gemm.h"

namespace surprisal {
namespace {
constexpr std::int64_t kSumRows = 128;  // rows of one partial sum
constexpr std::int64_t kSumColumns = 512;

std::int64_t row_blocks(std::int64_t rows) {
  return (rows + kSumRows - 1) / kSumRows;
}

void sum_rows(const Tensor& x, std::int64_t begin, std::int64_t end, float* out) {
  std::int64_t width = x.shape[1];
  std::fill_n(out, width, 0.0f);
  for (std::int64_t row = begin; row < end; ++row) {
    const float* in = x.f32() + row * width;
    for (std::int64_t column = 0; column < width; ++column) out[column] += in[column];
  }
}

}  // namespace

std::int64_t linear_workspace(std::int64_t rows, std::int64_t out) {
  return row_blocks(rows) * out;
}

void linear_forward(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& y) {
  assert(x.shape[1] == weight.shape[1] && y.shape[1] == weight.shape[0] && x.shape[0] == y.shape[0]);
  gemm(matrix(x), matrix(weight).transpose(), matrix(y), Write::over, bias.f32());
}

void add_column_sums(const Tensor& x, const Tensor& out, const Tensor& workspace) {
  std::int64_t rows = x.shape[0], width = x.shape[1], blocks = row_blocks(rows);
  assert(workspace.elements() >= blocks * width);
  parallel_for(blocks, [&](std::int64_t block, int) {
    sum_rows(x, block * kSumRows, std::min(rows, (block + 1) * kSumRows), workspace.f32() + block * width);
  });
  parallel_ranges(width, kSumColumns, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      const float* partial = workspace.f32() + block * width;
      for (std::int64_t column = begin; column < end; ++column) out.f32()[column] += partial[column];
    }
  });
}

void linear_backward(const Tensor& x, const Tensor& weight, const Tensor& dy, const Tensor& dx,
                     Write write_dx, const Tensor& dweight, const Tensor& dbias, const Tensor& workspace,
                     Write write_dweight) {
  if (dx.data) gemm(matrix(dy), matrix(weight), matrix(dx), write_dx);
  if (dweight.data) gemm(matrix(dy).transpose(), matrix(x), matrix(dweight), write_dweight);
  if (dbias.data) add_column_sums(dy, dbias, workspace);
}

}  // namespace surprisal
