#include "ops/embedding_cpu.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/embedding_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/vector_loop-inl.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

void add_to(std::int64_t size, const float* x, float* sum) {
  map_vectors(
      size, sum, [](FloatVector a, FloatVector b) { return hn::Add(a, b); }, sum, x);
}

// With a scale of 1 the same bits as add_to.
void add_scaled_to(std::int64_t size, float scale, const float* x, float* sum) {
  const FloatVector factor = hn::Set(FloatTag(), scale);
  map_vectors(
      size, sum, [&](FloatVector a, FloatVector b) { return hn::MulAdd(factor, b, a); }, sum, x);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {

HWY_EXPORT(add_to);
HWY_EXPORT(add_scaled_to);

// Stable counting sort of rows [0, index.size()) by their index, a digit of 8 bits at a time. Returns the
// half of `order` that holds the result.
const std::int32_t* sort_by_index(std::span<const std::int32_t> index, std::int64_t table_rows,
                                  std::int32_t* order) {
  const std::size_t size = index.size();
  std::int32_t *from = order, *to = order + size;
  std::iota(from, from + size, 0);
  for (int shift = 0; shift < 32 && (table_rows - 1) >> shift != 0; shift += 8) {
    const auto digit = [&](std::int32_t row) {
      return static_cast<std::uint32_t>(index[static_cast<std::size_t>(row)]) >> shift & 255;
    };
    std::array<std::int32_t, 257> start{};
    for (std::size_t i = 0; i < size; ++i) ++start[digit(from[i]) + 1];
    std::partial_sum(start.begin(), start.end(), start.begin());
    for (std::size_t i = 0; i < size; ++i) to[start[digit(from[i])]++] = from[i];
    std::swap(from, to);
  }
  return from;
}

// The least that is worth a thread.
constexpr std::int64_t kForwardElements = 16384;

// The gradient's work is cut into tasks of so many sorted rows by so many columns. A table row belongs to the
// task in which its run of sorted rows begins, so every sum is formed by one thread, in ascending i.
constexpr std::int64_t kSortedRows = 256;
constexpr std::int64_t kColumns = 256;

}  // namespace

void embedding_forward_cpu(std::span<const EmbeddingTable> tables, std::int64_t width, float* y) {
  const auto add = HWY_DYNAMIC_DISPATCH(add_to);
  const std::int64_t rows = static_cast<std::int64_t>(tables[0].index.size());
  const std::int64_t block = std::max<std::int64_t>(1, kForwardElements / std::max<std::int64_t>(1, width));
  parallel_ranges(rows, block, [&](std::int64_t begin, std::int64_t end, int) {
    for (std::int64_t i = begin; i < end; ++i) {
      float* out = y + i * width;
      const auto row_of = [&](const EmbeddingTable& table) {
        return table.table.f32() + table.index[static_cast<std::size_t>(i)] * width;
      };
      std::copy_n(row_of(tables[0]), width, out);
      for (const EmbeddingTable& table : tables.subspan(1)) add(width, row_of(table), out);
    }
  });
}

void embedding_backward_cpu(const EmbeddingTable& gradient, std::int64_t width, const float* dy,
                            std::int32_t* order) {
  const auto add = HWY_DYNAMIC_DISPATCH(add_scaled_to);
  const std::int64_t rows = static_cast<std::int64_t>(gradient.index.size());
  const std::int32_t* sorted = sort_by_index(gradient.index, gradient.table.shape[0], order);
  const auto index_at = [&](std::int64_t k) { return gradient.index[static_cast<std::size_t>(sorted[k])]; };
  const std::int64_t row_blocks = (rows + kSortedRows - 1) / kSortedRows;
  const std::int64_t column_blocks = (width + kColumns - 1) / kColumns;
  parallel_for(row_blocks * column_blocks, [&](std::int64_t task, int) {
    const std::int64_t column = task % column_blocks * kColumns, columns = std::min(kColumns, width - column);
    const std::int64_t begin = task / column_blocks * kSortedRows, end = std::min(rows, begin + kSortedRows);
    std::int64_t k = begin;
    while (k > 0 && k < end && index_at(k) == index_at(k - 1)) ++k;  // the rest of an earlier task's run
    if (k == end) return;
    for (; k < rows && (k < end || index_at(k) == index_at(k - 1)); ++k) {
      add(columns, gradient.scale, dy + sorted[k] * width + column,
          gradient.table.f32() + index_at(k) * width + column);
    }
  });
}

}  // namespace surprisal
#endif
