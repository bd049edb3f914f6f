#include "ops/gemm.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/parallel.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24;

// A matrix in a buffer whose rows are `gap` elements apart; the gaps hold NaN and must keep it.
class Stored {
 public:
  Stored(std::int64_t rows, std::int64_t columns, bool transposed, std::int64_t gap, std::uint64_t seed)
      : down_(transposed ? columns : rows),
        across_(transposed ? rows : columns),
        stride_(across_ + gap),
        buffer_(down_ * stride_),
        matrix_{buffer_.data(), rows, columns, stride_, transposed} {
    const std::vector<float> values = normal_values(down_ * across_, seed);
    for (std::int64_t i = 0; i < down_; ++i) {
      std::copy_n(values.data() + i * across_, across_, buffer_.data() + i * stride_);
    }
  }

  const Matrix& matrix() const { return matrix_; }
  void fill(float value) {
    for (std::int64_t i = 0; i < down_; ++i) std::fill_n(buffer_.data() + i * stride_, across_, value);
  }
  // Row after row of the matrix as it is used.
  std::vector<double> values() const {
    std::vector<double> out;
    for (std::int64_t i = 0; i < matrix_.rows; ++i) {
      for (std::int64_t j = 0; j < matrix_.columns; ++j) {
        out.push_back(matrix_.data[matrix_.transposed ? j * stride_ + i : i * stride_ + j]);
      }
    }
    return out;
  }
  std::vector<float> bits() { return buffer_.copy(); }
  void expect_gaps_intact() {
    for (std::int64_t i = 0; i < down_; ++i) {
      for (std::int64_t j = across_; j < stride_; ++j) {
        ASSERT_TRUE(std::isnan(buffer_[i * stride_ + j])) << "written between rows " << i << " and " << i + 1;
      }
    }
  }

 private:
  std::int64_t down_, across_, stride_;
  GuardedFloats buffer_;
  Matrix matrix_;
};

struct Case {
  std::int64_t rows, columns, inner;
  bool a_transposed = false, b_transposed = false;
  std::int64_t gap = 0;
  Write write = Write::over;
  bool bias = false;
  float alpha = 1;
};

std::string name_of(const Case& c) {
  return testing::PrintToString(std::tuple(c.rows, c.columns, c.inner, c.a_transposed, c.b_transposed, c.gap,
                                           c.write.kept, c.bias, c.alpha));
}

// Sum and sum of absolute values of the products of each element, in double.
struct Exact {
  std::vector<double> sum, size;
};
Exact exact_product(const Case& c, const Stored& a, const Stored& b) {
  const std::vector<double> left = a.values(), right = b.values();
  const std::size_t columns = static_cast<std::size_t>(c.columns), inner = static_cast<std::size_t>(c.inner);
  Exact exact;
  exact.sum.assign(static_cast<std::size_t>(c.rows) * columns, 0);
  exact.size = exact.sum;
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.rows); ++i) {
    for (std::size_t k = 0; k < inner; ++k) {
      const double factor = left[i * inner + k];
      for (std::size_t j = 0; j < columns; ++j) {
        const double term = factor * right[k * columns + j];
        exact.sum[i * columns + j] += term;
        exact.size[i * columns + j] += std::abs(term);
      }
    }
  }
  return exact;
}

// A sum of K products errs by at most K roundings of its terms' sizes, in whatever order it is taken; the
// start value and the bias add one each.
void expect_close(const Case& c, const Stored& a, const Stored& b, const std::vector<double>& start,
                  const std::vector<float>& bias, float alpha, const Stored& out) {
  const Exact exact = exact_product(c, a, b);
  const std::vector<double> got = out.values();
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double before = c.write == Write::over ? 0 : double{c.write.kept} * start[i];
    const double added = c.bias ? bias[i % bias.size()] : 0;
    const double want = alpha * exact.sum[i] + before + added;
    const double size = std::abs(alpha) * exact.size[i] + std::abs(before) + std::abs(added);
    ASSERT_NEAR(got[i], want, static_cast<double>(c.inner + 3) * kRounding * size)
        << "element " << i << " of " << name_of(c);
  }
}

void check(const Case& c) {
  Stored a(c.rows, c.inner, c.a_transposed, c.gap, 1), b(c.inner, c.columns, c.b_transposed, c.gap, 2),
      out(c.rows, c.columns, false, 2 * c.gap, 3);
  if (c.write == Write::over) out.fill(std::numeric_limits<float>::quiet_NaN());
  const std::vector<double> start = out.values();
  GuardedFloats bias(normal_values(c.columns, 4));
  gemm(a.matrix(), b.matrix(), out.matrix(), c.write, c.bias ? bias.data() : nullptr, c.alpha);
  expect_close(c, a, b, start, bias.copy(), c.alpha, out);
  out.expect_gaps_intact();
}

TEST(Gemm, EverySizeUpToSeventyInEveryLayout) {
  for (std::int64_t size = 1; size <= 70; ++size) {
    for (int layout = 0; layout < 16; ++layout) {
      check({.rows = size,
             .columns = (size * 29) % 71,
             .inner = (size * 43) % 71,
             .a_transposed = (layout & 1) != 0,
             .b_transposed = (layout & 2) != 0,
             .gap = size % 3,
             .write = layout & 4 ? Write::add : Write::over,
             .bias = (layout & 8) != 0});
    }
  }
}

// The output's blocks are 64 to 512 rows by 96 to 384 columns.
TEST(Gemm, EveryBlockBoundary) {
  constexpr std::int64_t kSizes[] = {1, 63, 64, 65, 95, 97, 383, 384, 385, 511, 512, 513, 1025};
  int layout = 0;
  for (std::int64_t rows : kSizes) {
    for (std::int64_t columns : kSizes) {
      check({rows, columns, 5, (layout & 1) != 0, (layout & 2) != 0, 3, layout & 4 ? Write::add : Write::over,
             (layout & 8) != 0});
      layout += 5;  // odd: comes by all sixteen
    }
  }
  for (std::int64_t inner : kSizes) check({67, 101, inner, inner % 2 == 0, inner % 3 == 0});
}

// GPT-2's vocabulary is 50257, one more than a multiple of 16.
TEST(Gemm, OneRowOrColumnBySeveralThousand) {
  check({1, 5025, 33, false, true, 0, Write::over, true});
  check({5025, 1, 33, true, false, 0, Write::add});
  check({2, 3, 5000, false, true});
}

// What DeepNorm's residual keeps, and what a shrunk gradient is multiplied by.
TEST(Gemm, KeepsAndScalesByAnyFactor) {
  for (int layout = 0; layout < 4; ++layout) {
    const bool a = (layout & 1) != 0, b = (layout & 2) != 0;
    for (float kept : {11.83215957f, -0.5f, 1.0f}) {
      for (float alpha : {1.0f, 0.1f}) {
        check({70, 500, 1100, a, b, 2, Write::onto(kept), false, alpha});
        check({1, 33, 47, a, b, 0, Write::onto(kept), true, alpha});
        check({300, 1, 17, a, b, 1, Write::onto(kept), false, alpha});
      }
    }
    check({40, 40, 40, a, b, 0, Write::over, true, 0.1f});
  }
}

TEST(Gemm, NothingToSumGivesZerosOrTheBias) {
  check({.rows = 5, .columns = 7, .inner = 0});
  check({.rows = 5, .columns = 7, .inner = 0, .gap = 1, .bias = true});
  check({.rows = 5, .columns = 7, .inner = 0, .write = Write::add});
  check({.rows = 5, .columns = 7, .inner = 0, .write = Write::onto(2.5f)});
  check({.rows = 0, .columns = 7, .inner = 3, .bias = true});
  check({.rows = 5, .columns = 0, .inner = 3, .bias = true});
}

TEST(Gemm, BlockIsTheProductTimesAlpha) {
  for (float alpha : {1.0f, 0.28867513f, -3.0f}) {
    for (Write write : {Write::over, Write::add}) {
      const Case c = {33, 19, 47, false, true, 2, write};
      Stored a(c.rows, c.inner, false, c.gap, 5), b(c.inner, c.columns, true, c.gap, 6),
          out(c.rows, c.columns, false, 3, 7);
      if (write == Write::over) out.fill(std::numeric_limits<float>::quiet_NaN());
      const std::vector<double> start = out.values();
      gemm_block(a.matrix(), b.matrix(), out.matrix(), write, alpha);
      expect_close(c, a, b, start, {}, alpha, out);
      out.expect_gaps_intact();
    }
  }
}

TEST(Gemm, RangesOfRowsAndColumnsAreViews) {
  for (bool transposed : {false, true}) {
    Stored whole(20, 30, transposed, 4, 8);
    const Matrix part = whole.matrix().row_range(3, 9).column_range(10, 25);
    const std::vector<double> values = whole.values();
    ASSERT_EQ(part.rows, 6);
    ASSERT_EQ(part.columns, 15);
    for (std::int64_t i = 0; i < 6; ++i) {
      for (std::int64_t j = 0; j < 15; ++j) {
        const std::int64_t at = part.transposed ? j * part.stride + i : i * part.stride + j;
        EXPECT_EQ(part.data[at], values[static_cast<std::size_t>((i + 3) * 30 + j + 10)]);
      }
    }
  }
}

TEST(Gemm, SameBitsForAnyThreads) {
  for (const Case& c : {Case{130, 200, 300}, Case{1025, 513, 77, true}, Case{3, 5, 4000, false, true},
                        Case{64, 3000, 64, false, true}, Case{40, 40, 40}, Case{768, 768, 512, true}}) {
    const auto run = [&] {
      Stored a(c.rows, c.inner, c.a_transposed, 0, 1), b(c.inner, c.columns, c.b_transposed, 0, 2),
          out(c.rows, c.columns, false, 0, 3);
      gemm(a.matrix(), b.matrix(), out.matrix(), Write::add);
      return out.bits();
    };
    expect_same_for_any_threads(run, same_bits<std::vector<float>>);
  }
}

// Texts that are generated side by side must be those that each would be alone.
TEST(Gemm, AFewRowsHaveTheBitsOfEachAlone) {
  constexpr std::int64_t kColumns = 403, kInner = 131;
  Stored b(kInner, kColumns, true, 1, 2);
  const auto product = [&](const Matrix& a) {
    Stored out(a.rows, kColumns, false, 0, 3);
    gemm(a, b.matrix(), out.matrix());
    return out.bits();
  };
  for (std::int64_t rows : {2, 3, 7, 32}) {
    Stored a(rows, kInner, false, 3, 1);
    std::vector<float> each;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::vector<float> alone = product(a.matrix().row_range(row, row + 1));
      each.insert(each.end(), alone.begin(), alone.end());
    }
    EXPECT_EQ(product(a.matrix()), each) << rows << " rows";
  }
}

std::ptrdiff_t threads_of_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

// A library that starts threads of its own for a large product would make bits depend on their number, and
// use more cores than it was given. A thread that the library has not seen yet owns no workers, so those
// would be new.
TEST(Gemm, OneThreadIsOneThread) {
  const int before = threads();
  set_threads(1);
  std::ptrdiff_t started = -1;
  std::thread([&] {
    Stored a(600, 600, false, 0, 1), b(600, 600, true, 0, 2), out(600, 600, false, 0, 3);
    const std::ptrdiff_t alone = threads_of_process();
    gemm(a.matrix(), b.matrix(), out.matrix());
    gemm_block(a.matrix(), b.matrix(), out.matrix(), Write::over);
    started = threads_of_process() - alone;
  }).join();
  set_threads(before);
  EXPECT_EQ(started, 0);
}

}  // namespace
}  // namespace surprisal
