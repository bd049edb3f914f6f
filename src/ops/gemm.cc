#include "ops/gemm.h"

#include <algorithm>
#include <cassert>

#include "core/parallel.h"
#include "ops/few_rows.h"

namespace surprisal {
namespace {

struct Blocks {
  std::int64_t rows, columns;
};

std::int64_t pieces(std::int64_t size, std::int64_t piece) {
  return (size + piece - 1) / piece;
}

std::int64_t count(const Blocks& block, const Matrix& c) {
  return pieces(c.rows, block.rows) * pieces(c.columns, block.columns);
}

// As many pieces as before, of one size: a multiple of `unit`, which fits the kernels' registers.
std::int64_t even(std::int64_t size, std::int64_t piece, std::int64_t unit) {
  const std::int64_t parts = pieces(size, piece);
  return pieces(pieces(size, parts), unit) * unit;
}

// Measured with oneDNN's sgemm on AVX-512. It copies its operands into panels on every call, so large blocks
// are fastest as long as there are enough of them to share out, and it copies a transposed operand slowest:
// a transposed A (a gradient of weights) wants wide blocks, a transposed B (weights) high ones. Never a
// function of the number of threads, or results would be, too.
Blocks choose_blocks(const Matrix& a, const Matrix& c) {
  constexpr std::int64_t kEnough = 4;
  Blocks block{std::min<std::int64_t>(a.transposed ? 192 : 1024, c.rows),
               std::min<std::int64_t>(a.transposed ? 768 : 384, c.columns)};
  const auto halve = [&](std::int64_t& size, std::int64_t least) {
    while (count(block, c) < kEnough && size / 2 >= least) size /= 2;
  };
  halve(block.rows, 256);
  halve(block.columns, 192);
  halve(block.rows, 64);
  halve(block.columns, 96);
  return {even(c.rows, block.rows, 16), even(c.columns, block.columns, 48)};
}

void add_bias(const Matrix& c, const float* bias) {
  for (std::int64_t row = 0; row < c.rows; ++row) {
    float* out = c.data + row * c.stride;
    for (std::int64_t column = 0; column < c.columns; ++column) out[column] += bias[column];
  }
}

}  // namespace

void gemm(const Matrix& a, const Matrix& b, const Matrix& c, Write write, const float* bias, float alpha) {
  assert(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows && !c.transposed);
  if (c.rows == 0 || c.columns == 0) return;
  const auto product = takes_few_rows(a, b) ? few_rows_product : gemm_block;
  Blocks block = choose_blocks(a, c);
  std::int64_t down = pieces(c.rows, block.rows);
  parallel_for(count(block, c), [&](std::int64_t index, int) {
    std::int64_t row = index % down * block.rows, column = index / down * block.columns;
    std::int64_t row_end = std::min(row + block.rows, c.rows);
    std::int64_t column_end = std::min(column + block.columns, c.columns);
    Matrix part = c.row_range(row, row_end).column_range(column, column_end);
    product(a.row_range(row, row_end), b.column_range(column, column_end), part, write, alpha);
    if (bias) add_bias(part, bias + column);  // while the block is in cache
  });
}

}  // namespace surprisal
