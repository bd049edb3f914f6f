#include "ops/few_rows.h"

#include <algorithm>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/few_rows.cc"
// foreach_target.h compiles this file once a target and must come first.
// clang-format off
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include "ops/vector_loop-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

struct Product {
  const Matrix &a, &b, &c;
  Write write;
  float alpha;
  const float* a_row(std::int64_t row) const { return a.data + row * a.stride; }
  // Of B as it is stored.
  const float* b_row(std::int64_t row) const { return b.data + row * b.stride; }
  float* c_row(std::int64_t row) const { return c.data + row * c.stride; }
};

// Of A, which share what is read of B, and of C: as many sums as registers hold.
constexpr int kRowsAtOnce = 4, kColumnsAtOnce = 4;

void put(const Product& p, std::int64_t row, std::int64_t column, float sum) {
  float* out = p.c_row(row) + column;
  *out = p.alpha * sum + (p.write == Write::over ? 0.0f : p.write.kept * *out);
}

// Every element of C is a dot product of two rows.
template <int kRows, int kColumns>
HWY_INLINE void dot_products(const Product& p, std::int64_t row, std::int64_t column) {
  const FloatTag d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), size = p.a.columns;
  FloatVector sums[kRows][kColumns];
  for (auto& sums_of_row : sums) std::fill_n(sums_of_row, kColumns, hn::Zero(d));
  const auto add = [&](const auto& load) {
    FloatVector left[kRows];
    for (int i = 0; i < kRows; ++i) left[i] = load(p.a_row(row + i));
    for (int j = 0; j < kColumns; ++j) {
      const FloatVector right = load(p.b_row(column + j));
      for (int i = 0; i < kRows; ++i) sums[i][j] = hn::MulAdd(left[i], right, sums[i][j]);
    }
  };
  std::int64_t k = 0;
  for (; k + lanes <= size; k += lanes) add([&](const float* from) { return hn::LoadU(d, from + k); });
  if (k < size) add([&](const float* from) { return load_tail(d, from + k, size - k); });
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kColumns; ++j)
      put(p, row + i, column + j, hn::GetLane(hn::SumOfLanes(d, sums[i][j])));
  }
}

template <int kColumns>
HWY_INLINE void dot_columns(const Product& p, std::int64_t column) {
  std::int64_t row = 0;
  for (; row + kRowsAtOnce <= p.c.rows; row += kRowsAtOnce)
    dot_products<kRowsAtOnce, kColumns>(p, row, column);
  for (; row < p.c.rows; ++row) dot_products<1, kColumns>(p, row, column);
}

void few_rows(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha) {
  const Product p{a, b, c, write, alpha};
  std::int64_t column = 0;
  for (; column + kColumnsAtOnce <= c.columns; column += kColumnsAtOnce)
    dot_columns<kColumnsAtOnce>(p, column);
  for (; column < c.columns; ++column) dot_columns<1>(p, column);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {
HWY_EXPORT(few_rows);
}  // namespace

void few_rows_product(const Matrix& a, const Matrix& b, const Matrix& c, Write write, float alpha) {
  HWY_DYNAMIC_DISPATCH(few_rows)(a, b, c, write, alpha);
}

}  // namespace surprisal
#endif
