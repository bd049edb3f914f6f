#include "ops/gemm.h"

#include <algorithm>
#include <cassert>

#include "core/parallel.h"

namespace surprisal {
namespace {

// Measured with oneDNN's sgemm on AVX-512: it copies its operands into panels on every call, so near-square
// blocks copy least, and a width that is a multiple of 48 wastes no column of its kernel. A block of both
// operands and of the result stays within the second-level cache.
constexpr std::int64_t kBlockColumns = 384;
constexpr std::int64_t kBlockRows = 512;

struct Blocks {
  std::int64_t rows, columns;
};

// Large blocks where there are many of them, smaller ones where few would leave threads idle. Never a
// function of the number of threads, or results would be, too.
Blocks choose_blocks(std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kEnough = 8;
  Blocks block{kBlockRows, kBlockColumns};
  auto count = [&] {
    return ((rows + block.rows - 1) / block.rows) * ((columns + block.columns - 1) / block.columns);
  };
  while (count() < kEnough && block.rows > 64) block.rows /= 2;
  while (count() < kEnough && block.columns > 96) block.columns /= 2;
  return block;
}

void add_bias(const Matrix& c, const float* bias) {
  for (std::int64_t row = 0; row < c.rows; ++row) {
    float* out = c.data + row * c.stride;
    for (std::int64_t column = 0; column < c.columns; ++column) out[column] += bias[column];
  }
}

}  // namespace

void gemm(const Matrix& a, const Matrix& b, const Matrix& c, Write write, const float* bias) {
  assert(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows && !c.transposed);
  if (c.rows == 0 || c.columns == 0) return;
  Blocks block = choose_blocks(c.rows, c.columns);
  std::int64_t down = (c.rows + block.rows - 1) / block.rows;
  std::int64_t across = (c.columns + block.columns - 1) / block.columns;
  parallel_for(down * across, [&](std::int64_t index, int) {
    std::int64_t row = index % down * block.rows, column = index / down * block.columns;
    std::int64_t row_end = std::min(row + block.rows, c.rows);
    std::int64_t column_end = std::min(column + block.columns, c.columns);
    Matrix part = c.row_range(row, row_end).column_range(column, column_end);
    gemm_block(a.row_range(row, row_end), b.column_range(column, column_end), part, write);
    if (bias) add_bias(part, bias + column);  // while the block is in cache
  });
}

}  // namespace surprisal
