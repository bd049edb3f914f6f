#include "ops/gemm.h"

#include <algorithm>
#include <cassert>

#include "core/parallel.h"
#include "ops/gemm_packed.h"

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

// Large blocks, as long as there are enough of them to share out: B is packed once a block, so high ones cost
// least, but a transposed A is copied, and then wide ones. Never a function of the number of threads, or
// results would be, too.
Blocks choose_blocks(const Matrix& a, const Matrix& c) {
  constexpr std::int64_t kEnough = 4;
  Blocks block{std::min<std::int64_t>(a.transposed ? 384 : 1024, c.rows),
               std::min<std::int64_t>(a.transposed ? 768 : 384, c.columns)};
  const auto halve = [&](std::int64_t& size, std::int64_t least) {
    while (count(block, c) < kEnough && size / 2 >= least) size /= 2;
  };
  halve(block.columns, a.transposed ? 768 : 192);
  halve(block.rows, 192);
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

void multiply_block(const Matrix& a, const Matrix& b, const Matrix& c, Write write, const float* bias) {
  const bool biased = bias && write == Write::over;
  if (packing_pays(a, b)) {
    gemm_packed(a, b, c, write, biased ? bias : nullptr);
    if (biased) return;
  } else {
    gemm_block(a, b, c, write);
  }
  if (bias) add_bias(c, bias);  // while the block is in cache
}

}  // namespace

void gemm(const Matrix& a, const Matrix& b, const Matrix& c, Write write, const float* bias) {
  assert(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows && !c.transposed);
  if (c.rows == 0 || c.columns == 0) return;
  Blocks block = choose_blocks(a, c);
  std::int64_t down = pieces(c.rows, block.rows);
  parallel_for(count(block, c), [&](std::int64_t index, int) {
    std::int64_t row = index % down * block.rows, column = index / down * block.columns;
    std::int64_t row_end = std::min(row + block.rows, c.rows);
    std::int64_t column_end = std::min(column + block.columns, c.columns);
    multiply_block(a.row_range(row, row_end), b.column_range(column, column_end),
                   c.row_range(row, row_end).column_range(column, column_end), write,
                   bias ? bias + column : nullptr);
  });
}

}  // namespace surprisal
