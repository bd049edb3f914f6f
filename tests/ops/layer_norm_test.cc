#include "ops/layer_norm.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/layer_norm_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24;  // half a unit in the last place of 1, f32
constexpr double kEpsilon = 1e-12;     // BERT's, the smallest in use

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

struct Problem {
  std::int64_t rows, width;
  Floats x, weight, bias, dy;

  Problem(std::int64_t row_count, std::int64_t columns, double scale = 1, double offset = 0)
      : rows(row_count),
        width(columns),
        x(normal_values(rows * width, 1, scale, offset)),
        weight(normal_values(width, 2, 0.5, 1)),
        bias(normal_values(width, 3)),
        dy(normal_values(rows * width, 4)) {}

  Doubles row(const Floats& of, std::int64_t i) const {
    return {of.begin() + i * width, of.begin() + (i + 1) * width};
  }
};

struct Forward {
  Floats y, mean, rstd;
};

Forward forward(const Problem& problem) {
  GuardedFloats x(problem.x), weight(problem.weight), bias(problem.bias), y(x.size());
  GuardedFloats mean(problem.rows), rstd(problem.rows);
  const Shape shape = {problem.rows, problem.width};
  layer_norm_forward(x.tensor(shape), weight.tensor(), bias.tensor(), kEpsilon, y.tensor(shape),
                     {mean.tensor(), rstd.tensor()});
  return {y.copy(), mean.copy(), rstd.copy()};
}

struct Backward {
  Floats dx, dweight, dbias;
};

// With `start` in dx (then added to), dweight and dbias.
Backward backward(const Problem& problem, Write write = Write::over, float start = 0) {
  const Forward statistics = forward(problem);
  GuardedFloats x(problem.x), weight(problem.weight), mean(statistics.mean), rstd(statistics.rstd),
      dy(problem.dy);
  GuardedFloats dx(Floats(problem.x.size(), start)), dweight(Floats(problem.weight.size(), start)),
      dbias(Floats(problem.weight.size(), start)),
      workspace(layer_norm_workspace(problem.rows, problem.width));
  const Shape shape = {problem.rows, problem.width};
  layer_norm_backward(x.tensor(shape), weight.tensor(), {mean.tensor(), rstd.tensor()}, dy.tensor(shape),
                      dx.tensor(shape), write, dweight.tensor(), dbias.tensor(), workspace.tensor());
  return {dx.copy(), dweight.copy(), dbias.copy()};
}

// One row in double: n is the normalised x.
struct Row {
  Doubles n;
  double rstd;
};

Row normalise(const Doubles& x) {
  Row row = {x, 0};
  double mean = 0, variance = 0;
  const double width = static_cast<double>(x.size());
  for (double value : x) mean += value / width;
  for (double value : x) variance += (value - mean) * (value - mean) / width;
  row.rstd = 1 / std::sqrt(variance + kEpsilon);
  for (double& value : row.n) value = (value - mean) * row.rstd;
  return row;
}

// Two subtractions, rstd, a product, and the last line's product and sum; the mean itself adds nothing, as it
// is kept to about 48 bits.
void expect_forward(const Problem& problem) {
  const Forward got = forward(problem);
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    const Doubles x = problem.row(problem.x, i), weight = problem.row(problem.weight, 0),
                  bias = problem.row(problem.bias, 0);
    Doubles want(x.size());
    reference::layer_norm(problem.width, x.data(), weight.data(), bias.data(), kEpsilon, want.data());
    for (std::size_t d = 0; d < x.size(); ++d) {
      const double tolerance = kRounding * (5 * std::abs(want[d] - bias[d]) + std::abs(want[d]));
      const float y = got.y[static_cast<std::size_t>(i * problem.width) + d];
      ASSERT_NEAR(y, want[d], tolerance) << "row " << i << " column " << d << " width " << problem.width;
    }
  }
}

Doubles reference_gradient(const Problem& problem, std::int64_t i) {
  const Doubles weight = problem.row(problem.weight, 0), bias = problem.row(problem.bias, 0),
                dy = problem.row(problem.dy, i);
  const auto loss = [&](std::span<const std::complex<double>> x) {
    const std::vector<std::complex<double>> w(weight.begin(), weight.end()), b(bias.begin(), bias.end());
    std::vector<std::complex<double>> y(x.size());
    reference::layer_norm(problem.width, x.data(), w.data(), b.data(), kEpsilon, y.data());
    std::complex<double> sum = 0;
    for (std::size_t d = 0; d < y.size(); ++d) sum += y[d] * dy[d];
    return sum;
  };
  return complex_step(loss, problem.row(problem.x, i));
}

// dx = rstd (g - average(g) - n average(g n)): at most eight roundings of each term.
void expect_dx(const Problem& problem) {
  const Backward got = backward(problem);
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    const Row row = normalise(problem.row(problem.x, i));
    const Doubles want = reference_gradient(problem, i), weight = problem.row(problem.weight, 0);
    Doubles g = problem.row(problem.dy, i);
    double average_g = 0, average_gn = 0;
    for (std::size_t d = 0; d < g.size(); ++d) {
      g[d] *= weight[d];
      average_g += g[d] / static_cast<double>(g.size());
      average_gn += g[d] * row.n[d] / static_cast<double>(g.size());
    }
    for (std::size_t d = 0; d < g.size(); ++d) {
      const double terms = std::abs(g[d]) + std::abs(average_g) + std::abs(row.n[d] * average_gn);
      const float dx = got.dx[static_cast<std::size_t>(i * problem.width) + d];
      ASSERT_NEAR(dx, want[d], 8 * kRounding * row.rstd * terms) << "row " << i << " column " << d;
    }
  }
}

// Sums over rows: five roundings of each term, and one for every addition that it goes through.
void expect_dweight_and_dbias(const Problem& problem) {
  const Backward got = backward(problem);
  const std::size_t width = static_cast<std::size_t>(problem.width);
  Doubles dweight(width), dbias(width), weight_terms(width), bias_terms(width);
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    const Row row = normalise(problem.row(problem.x, i));
    const Doubles dy = problem.row(problem.dy, i);
    for (std::size_t d = 0; d < width; ++d) {
      dweight[d] += dy[d] * row.n[d];
      weight_terms[d] += std::abs(dy[d] * row.n[d]);
      dbias[d] += dy[d];
      bias_terms[d] += std::abs(dy[d]);
    }
  }
  const double additions =
      static_cast<double>(std::min<std::int64_t>(problem.rows, 64) + problem.rows / 64 + 1);
  for (std::size_t d = 0; d < width; ++d) {
    ASSERT_NEAR(got.dweight[d], dweight[d], kRounding * (5 + additions) * weight_terms[d]) << "column " << d;
    ASSERT_NEAR(got.dbias[d], dbias[d], kRounding * additions * bias_terms[d]) << "column " << d;
  }
}

TEST(LayerNorm, ForwardEqualsTheReferenceForAnyWidth) {
  on_every_instruction_set([] {
    for (std::int64_t width = 1; width <= 70; ++width) expect_forward(Problem(3, width));
    expect_forward(Problem(5, 768));
    expect_forward(Problem(2, 1023));
  });
}

TEST(LayerNorm, DxIsTheDerivativeOfTheReference) {
  on_every_instruction_set([] {
    for (std::int64_t width = 1; width <= 70; width += width < 20 ? 1 : 7) expect_dx(Problem(2, width));
  });
}

TEST(LayerNorm, DweightAndDbiasSumOverRows) {
  on_every_instruction_set([] {
    for (std::int64_t rows : {1, 63, 64, 65, 200}) {
      expect_dweight_and_dbias(Problem(rows, 37));
      expect_dweight_and_dbias(Problem(rows, 300));
    }
  });
}

// The mean is a million times the deviations: 1e4 + noise of 0.01, of which f32 keeps a few bits.
TEST(LayerNorm, AHugeOffsetCostsNothing) {
  on_every_instruction_set([] {
    for (std::int64_t width : {3, 17, 64, 70}) {
      const Problem problem(4, width, 0.01, 1e4);
      expect_forward(problem);
      expect_dx(problem);
      expect_dweight_and_dbias(problem);
    }
  });
}

TEST(LayerNorm, SquaresDoNotOverflowOrVanish) {
  for (double scale : {1e30, 1e-4}) {
    expect_forward(Problem(3, 65, scale));
    expect_dx(Problem(3, 65, scale));
  }
}

TEST(LayerNorm, EqualElementsGiveExactlyTheBias) {
  on_every_instruction_set([] {
    for (std::int64_t width = 1; width <= 70; ++width) {
      for (float value : {0.0f, 0.1f, -1e4f / 3, 1e30f, std::numeric_limits<float>::max()}) {
        Problem problem(2, width);
        std::fill(problem.x.begin(), problem.x.end(), value);
        const Floats y = forward(problem).y;
        for (std::size_t d = 0; d < y.size(); ++d) {
          ASSERT_EQ(y[d], problem.bias[d % problem.bias.size()]) << value << " width " << width;
        }
      }
    }
  });
}

TEST(LayerNorm, OneColumnGivesItsWeightNoGradient) {
  for (float value : backward(Problem(3, 1)).dweight) EXPECT_EQ(value, 0.0f);
}

TEST(LayerNorm, StatisticsAreThoseOfTheFormula) {
  Problem problem(1, 4);
  problem.x = {1, 2, 3, 6};
  const Forward got = forward(problem);
  EXPECT_FLOAT_EQ(got.mean[0], 3);
  EXPECT_FLOAT_EQ(got.rstd[0], static_cast<float>(1 / std::sqrt(3.5)));
}

TEST(LayerNorm, GradientsAreAddedWhereTheContractSaysSo) {
  const Problem problem(70, 21);
  const Backward plain = backward(problem), onto_two = backward(problem, Write::add, 2),
                 onto_six = backward(problem, Write::onto(3), 2), written = backward(problem, Write::over, 2);
  EXPECT_TRUE(same_bits(written.dx, plain.dx));
  for (std::size_t i = 0; i < plain.dx.size(); ++i) {
    EXPECT_NEAR(onto_two.dx[i], 2.0 + plain.dx[i],
                kRounding * (std::abs(onto_two.dx[i]) + std::abs(plain.dx[i])));
    EXPECT_NEAR(onto_six.dx[i], 6.0 + plain.dx[i],
                kRounding * (std::abs(onto_six.dx[i]) + std::abs(plain.dx[i])));
  }
  // The two blocks of rows are added to what was there one after the other.
  for (std::size_t d = 0; d < plain.dbias.size(); ++d) {
    EXPECT_NEAR(written.dbias[d], 2 + plain.dbias[d], 4 * kRounding * (2 + 70));
    EXPECT_NEAR(written.dweight[d], 2 + plain.dweight[d], 4 * kRounding * (2 + 70));
  }
}

TEST(LayerNorm, OutputMayBeTheInput) {
  const Problem problem(3, 35);
  const Shape shape = {3, 35};
  const Forward want = forward(problem);
  GuardedFloats x(problem.x), weight(problem.weight), bias(problem.bias), mean(3), rstd(3);
  layer_norm_forward(x.tensor(shape), weight.tensor(), bias.tensor(), kEpsilon, x.tensor(shape),
                     {mean.tensor(), rstd.tensor()});
  EXPECT_TRUE(same_bits(x.copy(), want.y));
  GuardedFloats in(problem.x), dy(problem.dy), dweight(Floats(35)), dbias(Floats(35)),
      workspace(layer_norm_workspace(3, 35));
  layer_norm_backward(in.tensor(shape), weight.tensor(), {mean.tensor(), rstd.tensor()}, dy.tensor(shape),
                      dy.tensor(shape), Write::over, dweight.tensor(), dbias.tensor(), workspace.tensor());
  EXPECT_TRUE(same_bits(dy.copy(), backward(problem).dx));
}

TEST(LayerNorm, RowsDoNotSeeEachOther) {
  Problem problem(3, 33);
  const Floats together = forward(problem).y, dx = backward(problem).dx;
  problem.x[40] = std::numeric_limits<float>::quiet_NaN();
  const Floats y = forward(problem).y, spoilt = backward(problem).dx;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (i / 33 == 1) {
      EXPECT_TRUE(std::isnan(y[i]) && std::isnan(spoilt[i]));
    } else {
      EXPECT_EQ(y[i], together[i]);
      EXPECT_EQ(spoilt[i], dx[i]);
    }
  }
  Problem alone(1, 33);
  alone.x.assign(together.begin(), together.begin() + 33);  // any row
  Problem packed(3, 33);
  std::copy(alone.x.begin(), alone.x.end(), packed.x.begin() + 66);
  const Floats last = forward(packed).y;
  EXPECT_TRUE(same_bits(forward(alone).y, {last.begin() + 66, last.end()}));
}

TEST(LayerNorm, SameBitsForAnyNumberOfThreads) {
  const Problem problem(333, 300);
  expect_same_for_any_threads([&] { return forward(problem).y; }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return backward(problem).dx; }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return backward(problem).dweight; }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return backward(problem).dbias; }, same_bits<Floats>);
}

}  // namespace
}  // namespace surprisal
