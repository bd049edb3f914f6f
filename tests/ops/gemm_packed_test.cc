#include "ops/gemm_packed.h"

#include <cmath>
#include <limits>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

struct Size {
  std::int64_t rows, columns, depth;
};

// C = A B with rows of every operand further apart than they are long.
class Product {
 public:
  Product(const Size& size, bool a_transposed, bool b_transposed)
      : size_(size),
        a_values_(normal_values((size.rows + 3) * (size.depth + 3), 1)),
        b_values_(normal_values((size.depth + 3) * (size.columns + 3), 2)),
        bias_(normal_values(size.columns, 3)),
        c_((size.rows - 1) * (size.columns + 3) + size.columns),
        a_(view(a_values_, size.rows, size.depth, a_transposed)),
        b_(view(b_values_, size.depth, size.columns, b_transposed)) {}

  Matrix c() { return {c_.data(), size_.rows, size_.columns, size_.columns + 3, false}; }
  void run(Write write, bool biased) { gemm_packed(a_, b_, c(), write, biased ? bias_.data() : nullptr); }
  // As two by two blocks, cut where no tile ends.
  void run_in_blocks(bool biased) {
    const std::int64_t row = size_.rows / 3 + 1, column = size_.columns / 3 + 1;
    for (auto [r, r_end] : {std::pair{std::int64_t{0}, row}, {row, size_.rows}}) {
      for (auto [q, q_end] : {std::pair{std::int64_t{0}, column}, {column, size_.columns}}) {
        if (r >= r_end || q >= q_end) continue;
        gemm_packed(a_.row_range(r, r_end), b_.column_range(q, q_end),
                    c().row_range(r, r_end).column_range(q, q_end), Write::over,
                    biased ? bias_.data() + q : nullptr);
      }
    }
  }
  std::vector<float> values() {
    std::vector<float> values;
    for (std::int64_t i = 0; i < size_.rows; ++i) {
      const float* row = c_.data() + i * (size_.columns + 3);
      values.insert(values.end(), row, row + size_.columns);
    }
    return values;
  }
  // Against sums in double: K products err by at most K roundings of their sizes; start and bias add one
  // each.
  void expect_right(const std::vector<float>& before, bool biased) {
    const std::vector<float> got = values();
    for (std::int64_t i = 0; i < size_.rows; ++i) {
      for (std::int64_t j = 0; j < size_.columns; ++j) {
        const std::size_t at = static_cast<std::size_t>(i * size_.columns + j);
        double sum = biased ? double{bias_[static_cast<std::size_t>(j)]} : 0.0;
        if (!before.empty()) sum += before[at];
        double size = std::abs(sum);
        for (std::int64_t k = 0; k < size_.depth; ++k) {
          const double term = double{element(a_, i, k)} * element(b_, k, j);
          sum += term, size += std::abs(term);
        }
        ASSERT_NEAR(got[at], sum, static_cast<double>(size_.depth + 3) * 0x1p-24 * size) << i << ", " << j;
      }
    }
  }

 private:
  static Matrix view(std::vector<float>& values, std::int64_t rows, std::int64_t columns, bool transposed) {
    return transposed ? Matrix{values.data(), columns, rows, rows + 3, false}.transpose()
                      : Matrix{values.data(), rows, columns, columns + 3, false};
  }
  static float element(const Matrix& m, std::int64_t i, std::int64_t j) {
    return m.transposed ? m.data[j * m.stride + i] : m.data[i * m.stride + j];
  }

  Size size_;
  std::vector<float> a_values_, b_values_, bias_;
  GuardedFloats c_;
  Matrix a_, b_;
};

// Around the rows and columns of tiles, their 192 copied rows, 768 packed columns and pieces of 192.
constexpr Size kSizes[] = {{1, 1, 1},     {3, 47, 15},    {7, 48, 16},   {8, 49, 17},    {9, 95, 191},
                           {16, 96, 192}, {33, 97, 193},  {40, 100, 31}, {191, 33, 383}, {193, 24, 384},
                           {5, 769, 385}, {200, 767, 20}, {12, 800, 576}};

class GemmPacked : public testing::Test {
 protected:
  void SetUp() override {
    const Matrix large{nullptr, 1024, 1024, 1024, false};
    if (!packing_pays(large, large)) GTEST_SKIP() << "built to never pack";
  }
};

TEST_F(GemmPacked, EverySizeAndLayout) {
  on_every_instruction_set([] {
    for (const Size& size : kSizes) {
      for (int layout = 0; layout < 4; ++layout) {
        SCOPED_TRACE(testing::Message()
                     << size.rows << "x" << size.columns << "x" << size.depth << ", " << layout);
        Product product(size, layout & 1, layout & 2);
        product.run(Write::over, false);
        product.expect_right({}, false);
        const std::vector<float> before = product.values();
        product.run(Write::add, false);
        product.expect_right(before, false);
        product.run(Write::over, true);
        product.expect_right({}, true);
      }
    }
  });
}

TEST_F(GemmPacked, BitsDoNotDependOnBlocks) {
  on_every_instruction_set([] {
    for (const Size& size : kSizes) {
      for (int layout = 0; layout < 4; ++layout) {
        Product whole(size, layout & 1, layout & 2), cut(size, layout & 1, layout & 2);
        whole.run(Write::over, true);
        cut.run_in_blocks(true);
        EXPECT_TRUE(same_bits(whole.values(), cut.values()))
            << size.rows << "x" << size.columns << ", " << layout;
      }
    }
  });
}

TEST_F(GemmPacked, BitsDoNotDependOnTheWidthOfRegistersWhereThereIsFma) {
  std::optional<std::vector<float>> first;
  int found = 0;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target != HWY_AVX2 && target != HWY_AVX3 && target != HWY_AVX3_DL) continue;
    hwy::SetSupportedTargetsForTest(target);
    Product product({193, 100, 401}, true, false);
    product.run(Write::over, true);
    hwy::SetSupportedTargetsForTest(0);
    if (!first) first = product.values();
    EXPECT_TRUE(same_bits(*first, product.values())) << hwy::TargetName(target);
    ++found;
  }
  if (found < 2) GTEST_SKIP() << "needs two such instruction sets";
}

TEST_F(GemmPacked, WhatIsNotANumberComesThrough) {
  std::vector<float> values(9 * 33, 1.0f), other(33 * 50, 1.0f);
  values[4 * 33 + 7] = std::numeric_limits<float>::quiet_NaN();
  other[32 * 50 + 49] = std::numeric_limits<float>::infinity();
  GuardedFloats out(9 * 50);
  gemm_packed({values.data(), 9, 33, 33, false}, {other.data(), 33, 50, 50, false},
              {out.data(), 9, 50, 50, false}, Write::over, nullptr);
  for (std::int64_t i = 0; i < 9; ++i) {
    for (std::int64_t j = 0; j < 50; ++j) {
      const float got = out[i * 50 + j];
      if (i == 4) {
        EXPECT_TRUE(std::isnan(got));
      } else {
        EXPECT_EQ(got, j == 49 ? std::numeric_limits<float>::infinity() : 33.0f);
      }
    }
  }
}

}  // namespace
}  // namespace surprisal
