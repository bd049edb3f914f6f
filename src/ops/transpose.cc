#include "ops/transpose.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/transpose.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

struct Block {
  const float* from;
  std::int64_t from_stride;
  float* to;
  std::int64_t to_stride;
  const float* row(std::int64_t i, std::int64_t j) const { return from + i * from_stride + j; }
  float* column(std::int64_t i, std::int64_t j) const { return to + j * to_stride + i; }
};

constexpr std::int64_t kSide = 4;

void transpose_ragged(const Block& block, std::int64_t i, std::int64_t i_end, std::int64_t j,
                      std::int64_t j_end) {
  for (; j < j_end; ++j) {
    for (std::int64_t row = i; row < i_end; ++row) *block.column(row, j) = *block.row(row, j);
  }
}

// Four rows of four: registers of 128 bits on every machine, since wider ones shuffle no faster here.
HWY_INLINE void transpose_square(const Block& block, std::int64_t i, std::int64_t j) {
#if HWY_TARGET == HWY_SCALAR
  transpose_ragged(block, i, i + kSide, j, j + kSide);
#else
  const hn::FixedTag<float, kSide> d;
  const auto r0 = hn::LoadU(d, block.row(i, j)), r1 = hn::LoadU(d, block.row(i + 1, j)),
             r2 = hn::LoadU(d, block.row(i + 2, j)), r3 = hn::LoadU(d, block.row(i + 3, j));
  const auto even_low = hn::InterleaveLower(d, r0, r2), odd_low = hn::InterleaveLower(d, r1, r3),
             even_high = hn::InterleaveUpper(d, r0, r2), odd_high = hn::InterleaveUpper(d, r1, r3);
  hn::StoreU(hn::InterleaveLower(d, even_low, odd_low), d, block.column(i, j));
  hn::StoreU(hn::InterleaveUpper(d, even_low, odd_low), d, block.column(i, j + 1));
  hn::StoreU(hn::InterleaveLower(d, even_high, odd_high), d, block.column(i, j + 2));
  hn::StoreU(hn::InterleaveUpper(d, even_high, odd_high), d, block.column(i, j + 3));
#endif
}

// Tiles of 16 x 16: whole cache lines are read and written, and all of them stay in the first-level cache.
void transpose_all(std::int64_t rows, std::int64_t columns, const float* from, std::int64_t from_stride,
                   float* to, std::int64_t to_stride) {
  constexpr std::int64_t kTile = 16;
  const Block block{from, from_stride, to, to_stride};
  const std::int64_t whole_rows = rows / kSide * kSide, whole_columns = columns / kSide * kSide;
  for (std::int64_t i_tile = 0; i_tile < whole_rows; i_tile += kTile) {
    for (std::int64_t j_tile = 0; j_tile < whole_columns; j_tile += kTile) {
      for (std::int64_t j = j_tile; j < std::min(j_tile + kTile, whole_columns); j += kSide) {
        for (std::int64_t i = i_tile; i < std::min(i_tile + kTile, whole_rows); i += kSide) {
          transpose_square(block, i, j);
        }
      }
    }
  }
  transpose_ragged(block, 0, whole_rows, whole_columns, columns);
  transpose_ragged(block, whole_rows, rows, 0, columns);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {
HWY_EXPORT(transpose_all);
}  // namespace

void transpose(std::int64_t rows, std::int64_t columns, const float* from, std::int64_t from_stride,
               float* to, std::int64_t to_stride) {
  HWY_DYNAMIC_DISPATCH(transpose_all)(rows, columns, from, from_stride, to, to_stride);
}

}  // namespace surprisal
#endif
