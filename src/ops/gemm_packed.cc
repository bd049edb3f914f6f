#include "ops/gemm_packed.h"

#include <algorithm>
#include <cassert>

#include "core/arena.h"
#include "ops/transpose.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/gemm_packed.cc"
// foreach_target.h compiles this file once a target and must come first.
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/gemm_pack-inl.h"
// clang-format on

#ifndef SURPRISAL_OPS_GEMM_PACKED_ONCE
#define SURPRISAL_OPS_GEMM_PACKED_ONCE
namespace surprisal {
namespace {

// A piece of B, [kDepth, kColumns], takes 576 KiB: it stays in a second-level cache of 1 MiB, and a panel of
// it in the first level.
constexpr std::int64_t kDepth = 192, kColumns = 768;
constexpr std::int64_t kMostRows = 8, kMostWide = 48;  // of a tile, on any machine
// Rows of A that are copied at a time, where they must be. Rows that a large power of two apart would fall
// into the same sets of the cache.
constexpr std::int64_t kCopiedRows = 192, kCopiedStride = kDepth + 16;

// Rows of C from packed columns of B.
struct Rows {
  std::int64_t depth = 0, count = 0;
  const float* a = nullptr;  // [count rounded up to tiles, depth]
  std::int64_t a_stride = 0;
  const float* b = nullptr;  // panels
  Matrix c{};
  bool add = false;
  const float* bias = nullptr;  // null: none
};

}  // namespace
}  // namespace surprisal
#endif

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

// A tile of C is kRows x kVectors registers; with those of B and one of A they fill the 32 of AVX-512, or 16.
#if HWY_TARGET <= HWY_AVX3
constexpr std::int64_t kRows = 8;
#else
constexpr std::int64_t kRows = 4;
#endif
constexpr std::int64_t kVectors = 3;
constexpr std::int64_t kWide = kVectors * kLanes;
static_assert(kMostRows % kRows == 0 && kWide <= kMostWide && kColumns % kWide == 0 &&
              kCopiedRows % kRows == 0);

struct Tile {
  std::int64_t depth;
  const float* a;  // [kRows, depth]
  std::int64_t a_stride;
  const float* b;  // [depth, kWide]
  float* c;
  std::int64_t c_stride;
  const float* start;  // [kWide], or null for 0; not with kAdd
};

// c = start + a b, or c += a b. Elements of A are broadcast from where they stand: consecutive in K, a cache
// line serves 16 steps. The lines of C are asked for long before they are needed.
template <bool kAdd>
HWY_NOINLINE void multiply_tile(const Tile& tile) {
  const Floats d;
  Vector sums[kRows][kVectors];
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (std::int64_t v = 0; v < kVectors; ++v) {
      sums[row][v] = kAdd || !tile.start ? hn::Zero(d) : hn::LoadU(d, tile.start + v * kLanes);
      hwy::Prefetch(tile.c + row * tile.c_stride + v * kLanes);
    }
  }
  const std::int64_t depth = tile.depth, a_stride = tile.a_stride;
  const float *a = tile.a, *b = tile.b;
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < depth; ++k, ++a, b += kWide) {
    Vector columns[kVectors];
    for (std::int64_t v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * kLanes);
    for (std::int64_t row = 0; row < kRows; ++row) {
      const Vector element = hn::Set(d, a[row * a_stride]);
      for (std::int64_t v = 0; v < kVectors; ++v)
        sums[row][v] = hn::MulAdd(element, columns[v], sums[row][v]);
    }
  }
#pragma GCC unroll 8
  for (std::int64_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 3
    for (std::int64_t v = 0; v < kVectors; ++v) {
      float* out = tile.c + row * tile.c_stride + v * kLanes;
      hn::StoreU(kAdd ? hn::Add(hn::LoadU(d, out), sums[row][v]) : sums[row][v], d, out);
    }
  }
}

// A tile that reaches beyond C: computed whole, and copied as far as it counts.
void multiply_ragged_tile(Tile tile, std::int64_t rows, std::int64_t columns, bool add) {
  HWY_ALIGN float start[kWide] = {}, sums[kRows * kWide];
  if (tile.start) std::copy_n(tile.start, columns, start);
  float* c = tile.c;
  const std::int64_t stride = tile.c_stride;
  tile.start = start, tile.c = sums, tile.c_stride = kWide;
  multiply_tile<false>(tile);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const float sum = sums[row * kWide + column];
      float& out = c[row * stride + column];
      out = add ? out + sum : sum;
    }
  }
}

void multiply_rows(const Rows& rows) {
  for (std::int64_t row = 0; row < rows.count; row += kRows) {
    for (std::int64_t column = 0; column < rows.c.columns; column += kWide) {
      const std::int64_t down = std::min(kRows, rows.count - row),
                         across = std::min(kWide, rows.c.columns - column);
      const Tile tile{.depth = rows.depth,
                      .a = rows.a + row * rows.a_stride,
                      .a_stride = rows.a_stride,
                      .b = rows.b + column * rows.depth,
                      .c = rows.c.data + row * rows.c.stride + column,
                      .c_stride = rows.c.stride,
                      .start = rows.bias ? rows.bias + column : nullptr};
      if (down < kRows || across < kWide) {
        multiply_ragged_tile(tile, down, across, rows.add);
      } else if (rows.add) {
        multiply_tile<true>(tile);
      } else {
        multiply_tile<false>(tile);
      }
    }
  }
}

void pack_columns(const Matrix& b, float* out) {
  pack_panels<kWide>(b, out);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {

HWY_EXPORT(multiply_rows);
HWY_EXPORT(pack_columns);

// A thread's scratch, for as long as it lives.
class Scratch {
 public:
  Scratch() {
    lay_out();
    arena_.reserve();
    lay_out();
  }
  float* columns = nullptr;  // [kColumns, kDepth]
  float* rows = nullptr;     // [kCopiedRows, kCopiedStride]

 private:
  void lay_out() {
    columns = arena_.take({kColumns, kDepth}).f32();
    rows = arena_.take({kCopiedRows, kCopiedStride}).f32();
  }
  Arena arena_{"packed operands of products"};
};

// Rows of A one after the other, as many as tiles take: zeros below the last.
void copy_rows(const Matrix& a, float* out) {
  if (a.transposed) {
    transpose(a.columns, a.rows, a.data, a.stride, out, kCopiedStride);
  } else {
    for (std::int64_t row = 0; row < a.rows; ++row) {
      std::copy_n(a.data + row * a.stride, a.columns, out + row * kCopiedStride);
    }
  }
  const std::int64_t whole = (a.rows + kMostRows - 1) / kMostRows * kMostRows;
  for (std::int64_t row = a.rows; row < whole; ++row) std::fill_n(out + row * kCopiedStride, a.columns, 0.0f);
}

// What stands in rows is multiplied where it stands, but for the last ones that fill no tile.
void multiply_piece(const Matrix& a, const Scratch& scratch, const Matrix& c, bool add, const float* bias) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(multiply_rows);
  Rows rows{.depth = a.columns, .b = scratch.columns, .add = add, .bias = bias};
  const std::int64_t in_place = a.transposed ? 0 : a.rows / kMostRows * kMostRows;
  if (in_place > 0) {
    rows.count = in_place, rows.a = a.data, rows.a_stride = a.stride, rows.c = c.row_range(0, in_place);
    kernel(rows);
  }
  for (std::int64_t row = in_place; row < a.rows; row += kCopiedRows) {
    const std::int64_t end = std::min(row + kCopiedRows, a.rows);
    copy_rows(a.row_range(row, end), scratch.rows);
    rows.count = end - row, rows.a = scratch.rows, rows.a_stride = kCopiedStride,
    rows.c = c.row_range(row, end);
    kernel(rows);
  }
}

}  // namespace

const char* gemm_packed_name() {
  return "Highway, ";
}

bool packing_pays(const Matrix& a, const Matrix& b) {
  return a.rows >= 32 && a.columns >= 32 && b.columns >= 96;
}

void gemm_packed(const Matrix& a, const Matrix& b, const Matrix& c, Write write, const float* bias) {
  thread_local const Scratch scratch;
  assert(!bias || write == Write::over);
  const auto pack = HWY_DYNAMIC_DISPATCH(pack_columns);
  const std::int64_t pieces = (a.columns + kDepth - 1) / kDepth;
  const std::int64_t depth = std::min(kDepth, ((a.columns + pieces - 1) / pieces + 15) / 16 * 16);
  for (std::int64_t column = 0; column < c.columns; column += kColumns) {
    const std::int64_t column_end = std::min(column + kColumns, c.columns);
    for (std::int64_t k = 0; k < a.columns; k += depth) {
      const std::int64_t k_end = std::min(k + depth, a.columns);
      pack(b.row_range(k, k_end).column_range(column, column_end), scratch.columns);
      multiply_piece(a.column_range(k, k_end), scratch, c.column_range(column, column_end),
                     k > 0 || write == Write::add, bias && k == 0 ? bias + column : nullptr);
    }
  }
}

}  // namespace surprisal
#endif
