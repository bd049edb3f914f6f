#include "ops/dropout_cpu.h"

#include <algorithm>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/dropout_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/philox-inl.h"
#include "ops/vector_loop-inl.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

// Numbers made at a time: they stay in the first-level cache, and are a multiple of every register's.
constexpr std::int64_t kChunk = 256;

// numbers[j] = dropout_number(row, begin + j) for j in [0, count), and beyond up to a whole register. `begin`
// is a multiple of 4.
HWY_INLINE void fill_numbers(const DropoutRow& row, std::int64_t begin, std::int64_t count,
                             std::uint32_t* numbers) {
  const std::int64_t blocks = static_cast<std::int64_t>(hn::Lanes(WordTag()));
  for (std::int64_t j = 0; j < count; j += 4 * blocks) {
    philox_blocks(row.key, static_cast<std::uint32_t>((begin + j) / 4), row.row,
                  static_cast<std::uint32_t>(row.sample), static_cast<std::uint32_t>(row.sample >> 32),
                  numbers + j);
  }
}

// Numbers travel as the bits of floats so that they share the loop with x.
struct Drop {
  std::uint32_t threshold;
  float scale;
  float residual_scale = 1;

  HWY_INLINE FloatVector operator()(FloatVector numbers, FloatVector x) const {
    const hn::RebindToUnsigned<FloatTag> du;
    const auto dropped = hn::Lt(hn::BitCast(du, numbers), hn::Set(du, threshold));
    return hn::IfThenZeroElse(hn::RebindMask(FloatTag(), dropped), hn::Mul(x, hn::Set(FloatTag(), scale)));
  }
  HWY_INLINE FloatVector operator()(FloatVector numbers, FloatVector x, FloatVector residual) const {
    return hn::MulAdd(hn::Set(FloatTag(), residual_scale), residual, (*this)(numbers, x));
  }
};

void drop_row(const DropoutRow& row, const Drop& drop, std::int64_t width, const float* x,
              const float* residual, float* y) {
  HWY_ALIGN std::uint32_t numbers[kChunk];
  for (std::int64_t d = 0; d < width; d += kChunk) {
    const std::int64_t count = std::min(kChunk, width - d);
    fill_numbers(row, d, count, numbers);
    const float* bits = reinterpret_cast<const float*>(numbers);
    if (residual) {
      map_vectors(count, y + d, drop, bits, x + d, residual + d);
    } else {
      map_vectors(count, y + d, drop, bits, x + d);
    }
  }
}

void factors_of_row(const DropoutRow& row, std::uint32_t first, std::int64_t count, std::uint32_t threshold,
                    float scale, float* factors) {
  const Drop drop = {threshold, scale, 1};
  HWY_ALIGN std::uint32_t numbers[kChunk];
  const FloatVector one = hn::Set(FloatTag(), 1.0f);
  std::int64_t skip = first % 4;  // numbers come in blocks of 4
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t piece = std::min(kChunk - skip, count - done);
    fill_numbers(row, first + done - skip, skip + piece, numbers);
    map_vectors(
        piece, factors + done, [&](FloatVector bits) { return drop(bits, one); },
        reinterpret_cast<const float*>(numbers) + skip);
    done += piece;
    skip = 0;
  }
}

void drop_rows(std::span<const DropoutRow> rows, std::int64_t width, std::uint32_t threshold, float scale,
               const float* x, const Residual& residual, float* y) {
  const Drop drop = {threshold, scale, residual.scale};
  const std::int64_t count = static_cast<std::int64_t>(rows.size());
  for (std::int64_t row = 0; row < count; ++row) {
    drop_row(rows[static_cast<std::size_t>(row)], drop, width, x + row * width,
             residual.from(row * width).data, y + row * width);
  }
}

void add(std::int64_t size, const float* x, const Residual& residual, float* y) {
  const FloatVector scale = hn::Set(FloatTag(), residual.scale);
  map_vectors(
      size, y, [&](FloatVector a, FloatVector b) { return hn::MulAdd(scale, b, a); }, x, residual.data);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {

HWY_EXPORT(drop_rows);
HWY_EXPORT(add);
HWY_EXPORT(factors_of_row);

constexpr std::int64_t kBlock = 16384;  // elements

// Nothing is dropped: a sum or a copy, no numbers.
void keep_all(std::int64_t size, const float* x, const Residual& residual, float* y) {
  const auto add_kernel = HWY_DYNAMIC_DISPATCH(add);
  parallel_ranges(size, kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    if (residual.data) {
      add_kernel(end - begin, x + begin, residual.from(begin), y + begin);
    } else if (x != y) {
      std::copy(x + begin, x + end, y + begin);
    }
  });
}

}  // namespace

void dropout_cpu(std::span<const DropoutRow> rows, std::int64_t count, std::int64_t width,
                 std::uint32_t threshold, float scale, const float* x, const Residual& residual, float* y) {
  if (threshold == 0) return keep_all(count * width, x, residual, y);
  const auto kernel = HWY_DYNAMIC_DISPATCH(drop_rows);
  const std::int64_t block = std::max<std::int64_t>(1, kBlock / std::max<std::int64_t>(1, width));
  parallel_ranges(count, block, [&](std::int64_t begin, std::int64_t end, int) {
    kernel(rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)), width,
           threshold, scale, x + begin * width, residual.from(begin * width), y + begin * width);
  });
}

void dropout_factors_cpu(const DropoutRow& row, std::uint32_t first, std::int64_t count,
                         std::uint32_t threshold, float scale, float* factors) {
  HWY_DYNAMIC_DISPATCH(factors_of_row)(row, first, count, threshold, scale, factors);
}

}  // namespace surprisal
#endif
