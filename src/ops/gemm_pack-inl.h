// Packing of B for the micro-kernel of gemm_packed.cc: panels of kWidth columns, [panels, depth, kWidth].
// Compiled once per instruction set: include after hwy/foreach_target.h.
#include <algorithm>
#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "ops/gemm.h"

#if defined(SURPRISAL_OPS_GEMM_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SURPRISAL_OPS_GEMM_PACK_INL_H_
#undef SURPRISAL_OPS_GEMM_PACK_INL_H_
#else
#define SURPRISAL_OPS_GEMM_PACK_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
constexpr std::int64_t kLanes = hn::MaxLanes(Floats());

#if HWY_TARGET != HWY_SCALAR

constexpr std::int64_t kBlocks = kLanes / 4;

// Four rows whose blocks of four are transposed where they stand: block q of result m holds element 4 q + m
// of each.
HWY_INLINE void transpose_blocks(const float* from, std::int64_t stride, Vector* out) {
  const Floats d;
  const Vector r0 = hn::LoadU(d, from), r1 = hn::LoadU(d, from + stride),
               r2 = hn::LoadU(d, from + 2 * stride), r3 = hn::LoadU(d, from + 3 * stride);
  const Vector even_low = hn::InterleaveLower(d, r0, r2), odd_low = hn::InterleaveLower(d, r1, r3),
               even_high = hn::InterleaveUpper(d, r0, r2), odd_high = hn::InterleaveUpper(d, r1, r3);
  out[0] = hn::InterleaveLower(d, even_low, odd_low);
  out[1] = hn::InterleaveUpper(d, even_low, odd_low);
  out[2] = hn::InterleaveLower(d, even_high, odd_high);
  out[3] = hn::InterleaveUpper(d, even_high, odd_high);
}

// Block q of v[g] goes to block g of row 4 q of out.
HWY_INLINE void store_blocks(const Vector (*v)[4], std::int64_t m, std::int64_t width, float* out) {
  const Floats d;
#if HWY_TARGET <= HWY_AVX3
  const Vector a = v[0][m], b = v[1][m], e = v[2][m], f = v[3][m];
  const Vector even_low = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b), a);
  const Vector odd_low = hn::OddEvenBlocks(b, hn::SwapAdjacentBlocks(a));
  const Vector even_high = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(f), e);
  const Vector odd_high = hn::OddEvenBlocks(f, hn::SwapAdjacentBlocks(e));
  hn::StoreU(hn::ConcatLowerLower(d, even_high, even_low), d, out);
  hn::StoreU(hn::ConcatLowerLower(d, odd_high, odd_low), d, out + 4 * width);
  hn::StoreU(hn::ConcatUpperUpper(d, even_high, even_low), d, out + 8 * width);
  hn::StoreU(hn::ConcatUpperUpper(d, odd_high, odd_low), d, out + 12 * width);
#elif HWY_TARGET <= HWY_AVX2
  hn::StoreU(hn::ConcatLowerLower(d, v[1][m], v[0][m]), d, out);
  hn::StoreU(hn::ConcatUpperUpper(d, v[1][m], v[0][m]), d, out + 4 * width);
#else
  (void)width;
  hn::StoreU(v[0][m], d, out);
#endif
}

// out[k * width + j] = from[j * stride + k] for j and k below kLanes.
HWY_INLINE void transpose_square(const float* from, std::int64_t stride, std::int64_t width, float* out) {
  Vector blocks[kBlocks][4];
#pragma GCC unroll 4
  for (std::int64_t g = 0; g < kBlocks; ++g) transpose_blocks(from + 4 * g * stride, stride, blocks[g]);
#pragma GCC unroll 4
  for (std::int64_t m = 0; m < 4; ++m) store_blocks(blocks, m, width, out + m * width);
}

#endif

// One panel of a transposed B, [count, depth]. A register of every row at a time, and those after next asked
// for: rows are too many for the hardware to foresee.
template <std::int64_t kWidth>
void pack_panel_across(const float* from, std::int64_t stride, std::int64_t depth, std::int64_t count,
                       float* out) {
  if (count < kWidth) std::fill_n(out, depth * kWidth, 0.0f);
  std::int64_t squares = 0, k = 0;  // rows and columns that the squares take
#if HWY_TARGET != HWY_SCALAR
  squares = count / kLanes * kLanes;
  for (; k + kLanes <= depth; k += kLanes) {
    for (std::int64_t j = 0; j < squares; j += kLanes) {
      const float* rows = from + j * stride + k;
      for (std::int64_t i = 0; i < kLanes; ++i) hwy::Prefetch(rows + i * stride + 2 * kLanes);
      transpose_square(rows, stride, kWidth, out + k * kWidth + j);
    }
  }
#endif
  for (std::int64_t j = 0; j < count; ++j) {
    for (std::int64_t i = j < squares ? k : 0; i < depth; ++i) out[i * kWidth + j] = from[j * stride + i];
  }
}

// All panels of a B that stands [depth, count], row by row: rows are far apart, so a few are asked for ahead.
template <std::int64_t kWidth>
void pack_panels_along(const float* from, std::int64_t stride, std::int64_t depth, std::int64_t count,
                       float* out) {
  constexpr std::int64_t kAhead = 8, kLine = 16;
  const Floats d;
  const std::int64_t whole = count / kWidth * kWidth;
  for (std::int64_t k = 0; k < depth; ++k) {
    const float* row = from + k * stride;
    float* to = out + k * kWidth;
    for (std::int64_t j = 0; j < count; j += kLine) hwy::Prefetch(row + kAhead * stride + j);
    for (std::int64_t panel = 0; panel < whole; panel += kWidth, to += depth * kWidth) {
      for (std::int64_t j = 0; j < kWidth; j += kLanes) hn::StoreU(hn::LoadU(d, row + panel + j), d, to + j);
    }
    if (whole == count) continue;
    std::copy(row + whole, row + count, to);
    std::fill(to + (count - whole), to + kWidth, 0.0f);
  }
}

template <std::int64_t kWidth>
void pack_panels(const Matrix& b, float* out) {
  if (!b.transposed) return pack_panels_along<kWidth>(b.data, b.stride, b.rows, b.columns, out);
  for (std::int64_t j = 0; j < b.columns; j += kWidth) {
    const std::int64_t count = std::min(kWidth, b.columns - j);
    pack_panel_across<kWidth>(b.data + j * b.stride, b.stride, b.rows, count, out + j * b.rows);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#endif
