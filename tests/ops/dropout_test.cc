#include "ops/dropout.h"

#include <bit>
#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "ops/dropout_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr DropoutKey kKey = {.seed = 0x0123456789ABCDEF, .place = 5};

// A stream of sequences of the given lengths; samples are named by `first` + index.
Stream stream_of(const std::vector<std::int32_t>& lengths, std::uint64_t first = 0xABCDEF0123,
                 std::uint32_t epoch = 2) {
  Stream stream;
  std::int32_t begin = 0;
  for (std::size_t k = 0; k < lengths.size(); ++k) {
    stream.sequence.push_back(
        {.begin = begin, .end = begin + lengths[k], .sample = first + k, .epoch = epoch});
    begin += lengths[k];
  }
  stream.token.resize(static_cast<std::size_t>(begin));
  return stream;
}

std::vector<DropoutRow> rows_of(const Stream& stream, const DropoutKey& key = kKey) {
  std::vector<DropoutRow> rows(static_cast<std::size_t>(stream.size()));
  dropout_rows(stream, key, rows);
  return rows;
}

Shape shape_of(std::span<const DropoutRow> rows, std::int64_t width) {
  return {static_cast<std::int64_t>(rows.size()), width};
}

std::vector<float> forward(const std::vector<DropoutRow>& rows, const std::vector<float>& x,
                           const std::vector<float>& residual, double p, float residual_scale = 1) {
  const std::int64_t width = static_cast<std::int64_t>(x.size() / rows.size());
  GuardedFloats in(x), skip(residual), out(in.size());
  dropout_forward(in.tensor(shape_of(rows, width)),
                  residual.empty() ? Tensor() : skip.tensor(shape_of(rows, width)), rows, p,
                  out.tensor(shape_of(rows, width)), residual_scale);
  return out.copy();
}

std::vector<float> backward(const std::vector<DropoutRow>& rows, const std::vector<float>& dy, double p) {
  const std::int64_t width = static_cast<std::int64_t>(dy.size() / rows.size());
  GuardedFloats in(dy), out(in.size());
  dropout_backward(in.tensor(shape_of(rows, width)), rows, p, out.tensor(shape_of(rows, width)));
  return out.copy();
}

TEST(Dropout, ThresholdIsTheShareOfAllNumbers) {
  EXPECT_EQ(dropout_threshold(0), 0u);
  EXPECT_EQ(dropout_threshold(0.5), 0x80000000u);
  EXPECT_EQ(dropout_threshold(0.25), 0x40000000u);
  EXPECT_EQ(dropout_threshold(0.1), 429496730u);
  EXPECT_EQ(dropout_threshold(std::nextafter(1.0, 0.0)), 0xFFFFFFFFu);
}

TEST(Dropout, NumbersArePhiloxOfTheRowsIdentity) {
  const DropoutRow row = {.key = 0x1122334455667788, .sample = 0x99AABBCCDDEEFF00, .row = 17};
  for (std::uint32_t index = 0; index < 12; ++index) {
    EXPECT_EQ(dropout_number(row, index),
              philox(row.key, {index / 4, 17, 0xDDEEFF00, 0x99AABBCC})[index % 4]);
  }
}

TEST(Dropout, FactorsFollowTheNumbersFromAnyElementOn) {
  const DropoutRow row = {.key = 0x1122334455667788, .sample = 0x99AABBCCDDEEFF00, .row = 17};
  on_every_instruction_set([&] {
    for (double p : {0.0, 0.1, 0.5}) {
      const float kept = static_cast<float>(1 / (1 - p));
      for (std::uint32_t first : {0u, 1u, 2u, 3u, 4u, 255u, 1022u, 0xFFFFFFFFu - 699}) {
        for (std::int64_t count : {0, 1, 2, 3, 4, 5, 15, 17, 253, 254, 255, 256, 257, 700}) {
          GuardedFloats factors(count);
          dropout_factors(row, first, count, p, factors.data());
          for (std::int64_t j = 0; j < count; ++j) {
            const std::uint32_t number = dropout_number(row, first + static_cast<std::uint32_t>(j));
            ASSERT_EQ(factors[j], number >= dropout_threshold(p) ? kept : 0.0f)
                << "element " << first << " + " << j << " of " << count << ", p " << p;
          }
        }
      }
    }
  });
}

TEST(Dropout, RowsAreNamedBySampleAndPlaceWithinTheSequence) {
  const std::vector<DropoutRow> rows = rows_of(stream_of({3, 1, 2}));
  const std::uint32_t row[] = {0, 1, 2, 0, 0, 1};
  const std::uint64_t sample[] = {0, 0, 0, 1, 2, 2};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].row, row[i]);
    EXPECT_EQ(rows[i].sample, 0xABCDEF0123 + sample[i]);
    EXPECT_EQ(rows[i].key, rows[0].key);
  }
}

TEST(Dropout, KeyDependsOnSeedEpochAndPlace) {
  const Stream stream = stream_of({1});
  const std::uint64_t key = rows_of(stream)[0].key;
  EXPECT_NE(key, rows_of(stream, {.seed = kKey.seed + 1, .place = kKey.place})[0].key);
  EXPECT_NE(key, rows_of(stream, {.seed = kKey.seed, .place = kKey.place + 1})[0].key);
  EXPECT_NE(key, rows_of(stream_of({1}, 0xABCDEF0123, 3))[0].key);
}

TEST(Dropout, EqualsTheReferenceOnEveryInstructionSet) {
  on_every_instruction_set([] {
    for (std::int64_t width : {1, 2, 3, 4, 5, 15, 16, 17, 31, 33, 63, 64, 65, 70, 255, 256, 257, 300, 513}) {
      const std::vector<DropoutRow> rows = rows_of(stream_of({2, 3}));
      const std::vector<float> x = normal_values(width * 5, 1), residual = normal_values(width * 5, 2);
      for (double p : {0.1, 0.5, 0.9}) {
        std::vector<double> want(x.size()), x64(x.begin(), x.end()),
            residual64(residual.begin(), residual.end());
        reference::dropout(width, x64.data(), residual64.data(), std::span<const DropoutRow>(rows), p,
                           want.data());
        const std::vector<float> y = forward(rows, x, residual, p);
        for (std::size_t i = 0; i < y.size(); ++i) {
          // The scale, the product and the sum are each rounded once.
          const double size = 2 * std::abs(x64[i] / (1 - p)) + std::abs(want[i]);
          ASSERT_NEAR(y[i], want[i], 0x1p-24 * size) << "width " << width << " element " << i;
        }
      }
    }
  });
}

// DeepNorm's residual. The scale of the kept, its product, the residual's product and the sum are each
// rounded.
TEST(Dropout, ScalesTheResidual) {
  constexpr double kScale = 11.83215957;
  on_every_instruction_set([] {
    for (std::int64_t width : {1, 7, 16, 33, 300}) {
      const std::vector<DropoutRow> rows = rows_of(stream_of({2, 3}));
      const std::vector<float> x = normal_values(width * 5, 1), residual = normal_values(width * 5, 2);
      for (double p : {0.0, 0.1, 0.9}) {
        const std::vector<double> x64(x.begin(), x.end()), residual64(residual.begin(), residual.end());
        std::vector<double> want(x.size());
        reference::dropout(width, x64.data(), residual64.data(), std::span<const DropoutRow>(rows), p,
                           want.data(), static_cast<float>(kScale));
        const std::vector<float> y = forward(rows, x, residual, p, static_cast<float>(kScale));
        for (std::size_t i = 0; i < y.size(); ++i) {
          const double size =
              2 * std::abs(x64[i] / (1 - p)) + kScale * std::abs(residual64[i]) + std::abs(want[i]);
          ASSERT_NEAR(y[i], want[i], 0x1p-24 * size) << "width " << width << " element " << i;
        }
      }
    }
  });
}

TEST(Dropout, BackwardIsTheDerivativeOfTheReference) {
  constexpr std::int64_t kWidth = 9;
  const std::vector<DropoutRow> rows = rows_of(stream_of({2}));
  const std::vector<float> x = normal_values(2 * kWidth, 3), dy = normal_values(2 * kWidth, 4);
  const auto loss = [&](std::span<const std::complex<double>> point) {
    std::vector<std::complex<double>> y(point.size());
    reference::dropout<std::complex<double>>(kWidth, point.data(), nullptr, rows, 0.3, y.data());
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * static_cast<double>(dy[i]);
    return sum;
  };
  const std::vector<double> want = complex_step(loss, {x.begin(), x.end()});
  const std::vector<float> dx = backward(rows, dy, 0.3);
  for (std::size_t i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx[i], want[i], 0x1p-23 * std::abs(want[i]));
}

TEST(Dropout, DropsItsShare) {
  constexpr std::int64_t kWidth = 1000;
  const std::vector<DropoutRow> rows = rows_of(stream_of(std::vector<std::int32_t>(50, 20)));
  const std::vector<float> ones(rows.size() * kWidth, 1.0f);
  for (double p : {0.01, 0.1, 0.5, 0.9}) {
    const std::vector<float> y = forward(rows, ones, {}, p);
    const double dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0f));
    const double size = static_cast<double>(y.size());
    EXPECT_NEAR(dropped / size, p, 4 * std::sqrt(p * (1 - p) / size));  // four standard deviations
    EXPECT_EQ(std::count(y.begin(), y.end(), static_cast<float>(1 / (1 - p))), size - dropped);
  }
}

// No column and no row is treated apart: the counts of kept elements have the variance of a binomial.
TEST(Dropout, KeptElementsAreIndependentAcrossRowsAndColumns) {
  constexpr std::int64_t kWidth = 256, kRows = 512;
  const std::vector<DropoutRow> rows = rows_of(stream_of(std::vector<std::int32_t>(8, kRows / 8)));
  const std::vector<float> y = forward(rows, std::vector<float>(kRows * kWidth, 1.0f), {}, 0.5);
  std::vector<double> column(kWidth), row(kRows);
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t d = 0; d < kWidth; ++d) {
      const double deviation = y[static_cast<std::size_t>(i * kWidth + d)] > 0 ? 0.5 : -0.5;
      column[static_cast<std::size_t>(d)] += deviation;
      row[static_cast<std::size_t>(i)] += deviation;
    }
  }
  const auto chi_square = [](const std::vector<double>& sums, double size) {
    double total = 0;
    for (double sum : sums) total += sum * sum / (size / 4);
    return total / static_cast<double>(sums.size());
  };
  // Mean 1, standard deviation sqrt(2 / count).
  EXPECT_NEAR(chi_square(column, kRows), 1, 4 * std::sqrt(2.0 / kWidth));
  EXPECT_NEAR(chi_square(row, kWidth), 1, 4 * std::sqrt(2.0 / kRows));
}

TEST(Dropout, PackedEqualsAlone) {
  constexpr std::int64_t kWidth = 37;
  const Stream packed = stream_of({5, 2, 9});
  const std::vector<float> x = normal_values(packed.size() * kWidth, 5);
  const std::vector<float> y = forward(rows_of(packed), x, x, 0.4);
  for (const Sequence& sequence : packed.sequence) {
    const Stream alone = stream_of({sequence.end - sequence.begin}, sequence.sample);
    const std::vector<float> part(x.begin() + sequence.begin * kWidth, x.begin() + sequence.end * kWidth);
    const std::vector<float> want(y.begin() + sequence.begin * kWidth, y.begin() + sequence.end * kWidth);
    EXPECT_TRUE(same_bits(forward(rows_of(alone), part, part, 0.4), want));
  }
}

TEST(Dropout, ForwardAndBackwardKeepTheSameElements) {
  const std::vector<DropoutRow> rows = rows_of(stream_of({6}));
  const std::vector<float> ones(6 * 70, 1.0f);
  EXPECT_TRUE(same_bits(forward(rows, ones, {}, 0.3), backward(rows, ones, 0.3)));
}

TEST(Dropout, ZeroProbabilityIsASumOrACopy) {
  const std::vector<DropoutRow> rows = rows_of(stream_of({3}));
  const std::vector<float> x = normal_values(3 * 21, 6), residual = normal_values(3 * 21, 7);
  std::vector<float> sum(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) sum[i] = residual[i] + x[i];
  EXPECT_TRUE(same_bits(forward(rows, x, residual, 0), sum));
  EXPECT_TRUE(same_bits(forward(rows, x, {}, 0), x));
  EXPECT_TRUE(same_bits(backward(rows, x, 0), x));
}

TEST(Dropout, OutputMayBeAnInput) {
  const std::vector<DropoutRow> rows = rows_of(stream_of({3}));
  const std::vector<float> x = normal_values(3 * 35, 8), residual = normal_values(3 * 35, 9);
  for (double p : {0.0, 0.5}) {
    const std::vector<float> want = forward(rows, x, residual, p);
    GuardedFloats over_x(x), over_residual(residual);
    const Shape shape = {3, 35};
    GuardedFloats a(x), b(residual);
    dropout_forward(over_x.tensor(shape), b.tensor(shape), rows, p, over_x.tensor(shape));
    dropout_forward(a.tensor(shape), over_residual.tensor(shape), rows, p, over_residual.tensor(shape));
    EXPECT_TRUE(same_bits(over_x.copy(), want));
    EXPECT_TRUE(same_bits(over_residual.copy(), want));
  }
}

TEST(Dropout, DroppedNanIsGoneAndKeptNanStays) {
  const std::vector<DropoutRow> rows = rows_of(stream_of({4}));
  const std::vector<float> ones(4 * 64, 1.0f), nan(4 * 64, std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> mask = forward(rows, ones, {}, 0.5), y = forward(rows, nan, ones, 0.5);
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_EQ(std::isnan(y[i]), mask[i] != 0);
    if (mask[i] == 0) {
      EXPECT_EQ(y[i], 1.0f);
    }
  }
  for (float value : forward(rows, ones, nan, 0.5)) EXPECT_TRUE(std::isnan(value));
}

TEST(Dropout, SameBitsForAnyNumberOfThreads) {
  const std::vector<DropoutRow> rows = rows_of(stream_of({100, 77}));
  const std::vector<float> x = normal_values(177 * 301, 10);
  expect_same_for_any_threads([&] { return forward(rows, x, x, 0.2); }, same_bits<std::vector<float>>);
}

TEST(Dropout, NothingIsDoneForNothing) {
  GuardedFloats empty(0);
  dropout_forward(empty.tensor({0, 8}), Tensor(), {}, 0.5, empty.tensor({0, 8}));
}

}  // namespace
}  // namespace surprisal
