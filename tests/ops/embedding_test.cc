#include "ops/embedding.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "ops/embedding_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

std::vector<std::int32_t> indices_below(std::int32_t bound, std::int64_t size, std::uint64_t seed) {
  Random random({.seed = seed});
  std::vector<std::int32_t> indices(static_cast<std::size_t>(size));
  for (std::int32_t& index : indices)
    index = static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(bound)));
  return indices;
}

// dtable += dy by table row, in the order of the contract.
std::vector<float> add_in_order(std::vector<float> table, const std::vector<std::int32_t>& index,
                                const std::vector<float>& dy, std::int64_t width) {
  for (std::size_t i = 0; i < index.size(); ++i) {
    for (std::int64_t d = 0; d < width; ++d) {
      table[static_cast<std::size_t>(index[i] * width + d)] +=
          dy[i * static_cast<std::size_t>(width) + static_cast<std::size_t>(d)];
    }
  }
  return table;
}

std::vector<float> backward(const std::vector<float>& table, const std::vector<std::int32_t>& index,
                            const std::vector<float>& dy, std::int64_t width, float scale = 1) {
  const std::int64_t rows = static_cast<std::int64_t>(index.size());
  GuardedFloats gradient(table), in(dy);
  GuardedInts order(embedding_workspace(rows));
  const EmbeddingTable entry = {gradient.tensor({gradient.size() / width, width}), index, scale};
  embedding_backward(std::span(&entry, 1), in.tensor({rows, width}), order.tensor());
  return gradient.copy();
}

TEST(Embedding, SumsTheRowsOfEveryTable) {
  GuardedFloats token({1, 2, 3, 4, 5, 6}), position({10, 20, 30, 40}), segment({100, 200});
  const std::vector<std::int32_t> token_index = {2, 0, 2}, position_index = {0, 1, 1},
                                  segment_index = {0, 0, 0};
  const EmbeddingTable tables[] = {{token.tensor({3, 2}), token_index},
                                   {position.tensor({2, 2}), position_index},
                                   {segment.tensor({1, 2}), segment_index}};
  GuardedFloats y(6);
  embedding_forward(tables, y.tensor({3, 2}));
  EXPECT_THAT(y.copy(), testing::ElementsAre(115, 226, 131, 242, 135, 246));
  embedding_forward(std::span(tables, 1), y.tensor({3, 2}));
  EXPECT_THAT(y.copy(), testing::ElementsAre(5, 6, 1, 2, 5, 6));
}

TEST(Embedding, ForwardEqualsTheReferenceForAnyWidth) {
  constexpr std::int64_t kRows = 33;
  on_every_instruction_set([] {
    for (std::int64_t width = 1; width <= 70; ++width) {
      const std::vector<std::int32_t> a = indices_below(50, kRows, 1), b = indices_below(3, kRows, 2);
      GuardedFloats first(normal_values(50 * width, 3)), second(normal_values(3 * width, 4)),
          y(kRows * width);
      const EmbeddingTable tables[] = {{first.tensor({50, width}), a}, {second.tensor({3, width}), b}};
      embedding_forward(tables, y.tensor({kRows, width}));
      const reference::EmbeddingTable<float> plain[] = {{first.data(), a}, {second.data(), b}};
      std::vector<float> want(y.span().size());
      reference::embedding<float>(width, plain, want.data());
      ASSERT_TRUE(same_bits(y.copy(), want)) << width;
    }
  });
}

// Runs of equal indices longer than a task, one row, and indices of one, two and three digits.
TEST(Embedding, BackwardAddsInAscendingOrderBitForBit) {
  struct Case {
    std::int32_t table_rows;
    std::int64_t rows, width;
  };
  for (const Case& c : {Case{1, 1, 1},
                        {1, 1000, 3},
                        {2, 1500, 36},
                        {3, 513, 300},
                        {256, 700, 17},
                        {257, 700, 70},
                        {70000, 2000, 5},
                        {7, 256, 256},
                        {1, 257, 257},
                        {300, 0, 4}}) {
    const std::vector<std::int32_t> index = indices_below(c.table_rows, c.rows, 5);
    const std::vector<float> table = normal_values(c.table_rows * c.width, 6),
                             dy = normal_values(c.rows * c.width, 7);
    EXPECT_TRUE(same_bits(backward(table, index, dy, c.width), add_in_order(table, index, dy, c.width)))
        << c.table_rows << " " << c.rows << " " << c.width;
  }
}

// Sorting alone gives a table row to one thread, so its result is looked at where it is left: in one half of
// `order`.
TEST(Embedding, RowsAreSortedByEveryDigitOfTheirIndex) {
  for (std::int32_t table_rows : {1, 2, 256, 257, 65536, 70000, 20'000'000}) {
    constexpr std::int64_t kRows = 3000;
    const std::vector<std::int32_t> index = indices_below(table_rows, kRows, 14);
    GuardedFloats dy(0);
    GuardedInts order(std::vector<std::int32_t>(static_cast<std::size_t>(embedding_workspace(kRows))));
    const EmbeddingTable gradient = {{nullptr, {table_rows, 0}}, index};
    embedding_backward(std::span(&gradient, 1), dy.tensor({kRows, 0}), order.tensor());
    const auto not_ascending = [&](std::int32_t a, std::int32_t b) {
      return std::pair(index[static_cast<std::size_t>(a)], a) >=
             std::pair(index[static_cast<std::size_t>(b)], b);
    };
    const auto ascends = [&](const std::int32_t* half) {
      return std::adjacent_find(half, half + kRows, not_ascending) == half + kRows;
    };
    EXPECT_TRUE(ascends(order.data()) || ascends(order.data() + kRows)) << table_rows;
  }
}

TEST(Embedding, BackwardOfARunThatCoversSeveralTasks) {
  std::vector<std::int32_t> index(1400, 1);
  index.front() = index[700] = 0;
  index[900] = index.back() = 2;
  const std::vector<float> table(3 * 7), dy = normal_values(1400 * 7, 8);
  EXPECT_TRUE(same_bits(backward(table, index, dy, 7), add_in_order(table, index, dy, 7)));
}

TEST(Embedding, BackwardIsTheDerivativeOfTheReference) {
  constexpr std::int64_t kWidth = 3;
  const std::vector<std::int32_t> index = {4, 0, 4, 4, 2};
  const std::vector<float> table = normal_values(5 * kWidth, 9), dy = normal_values(5 * kWidth, 10);
  const auto loss = [&](std::span<const std::complex<double>> point) {
    const reference::EmbeddingTable<std::complex<double>> tables[] = {{point.data(), index}};
    std::vector<std::complex<double>> y(dy.size());
    reference::embedding<std::complex<double>>(kWidth, tables, y.data());
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * static_cast<double>(dy[i]);
    return sum;
  };
  const std::vector<double> want = complex_step(loss, {table.begin(), table.end()});
  const std::vector<float> got = backward(std::vector<float>(table.size()), index, dy, kWidth);
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], want[i], 3 * 0x1p-24 * 6);  // sums of 3, |dy| < 6
}

// A power of two scales without rounding: the same bits as the scaled gradient.
TEST(Embedding, ShrinksWhatIsAddedAndNotWhatIsThere) {
  const std::vector<std::int32_t> index = indices_below(9, 700, 15);
  const std::vector<float> table = normal_values(9 * 17, 16), dy = normal_values(700 * 17, 17);
  std::vector<float> shrunk = dy;
  for (float& value : shrunk) value *= 0.125f;
  EXPECT_TRUE(same_bits(backward(table, index, dy, 17, 0.125f), add_in_order(table, index, shrunk, 17)));
  EXPECT_TRUE(same_bits(backward(table, index, dy, 17, 0), table));
}

TEST(Embedding, ScaleIsOfTheGradientAlone) {
  GuardedFloats table({1, 2, 3, 4}), y(4);
  const std::vector<std::int32_t> index = {1, 0};
  const EmbeddingTable entry = {table.tensor({2, 2}), index, 0.1f};
  embedding_forward(std::span(&entry, 1), y.tensor({2, 2}));
  EXPECT_THAT(y.copy(), testing::ElementsAre(3, 4, 1, 2));
}

TEST(Embedding, EveryTableHasItsOwnGradient) {
  GuardedFloats first(std::vector<float>(4)), second(std::vector<float>(2)), dy({1, 2, 10, 20});
  const std::vector<std::int32_t> a = {1, 1}, b = {0, 0};
  const EmbeddingTable gradients[] = {{first.tensor({2, 2}), a}, {second.tensor({1, 2}), b}};
  GuardedInts order(embedding_workspace(2));
  embedding_backward(gradients, dy.tensor({2, 2}), order.tensor());
  EXPECT_THAT(first.copy(), testing::ElementsAre(0, 0, 11, 22));
  EXPECT_THAT(second.copy(), testing::ElementsAre(11, 22));
}

TEST(Embedding, NanReachesItsOwnRowAlone) {
  std::vector<float> dy(3 * 20, 1.0f);
  dy[20] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> got = backward(std::vector<float>(4 * 20), {3, 1, 3}, dy, 20);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(std::isnan(got[i]), i == 20);
}

TEST(Embedding, SameBitsForAnyNumberOfThreads) {
  const std::vector<std::int32_t> index = indices_below(40, 3000, 11);
  const std::vector<float> table = normal_values(40 * 300, 12), dy = normal_values(3000 * 300, 13);
  expect_same_for_any_threads([&] { return backward(table, index, dy, 300); }, same_bits<std::vector<float>>);
}

}  // namespace
}  // namespace surprisal
