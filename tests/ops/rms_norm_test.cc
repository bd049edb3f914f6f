#include "ops/rms_norm.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gtest/gtest.h>

#include "ops/rms_norm_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24;  // half a unit in the last place of 1, f32
constexpr double kEpsilon = 1e-6;      // Llama's

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

struct Problem {
  std::int64_t rows, width;
  Floats x, weight, dy;

  Problem(std::int64_t row_count, std::int64_t columns, double scale = 1, double offset = 0)
      : rows(row_count),
        width(columns),
        x(normal_values(rows * width, 1, scale, offset)),
        weight(normal_values(width, 2, 0.5, 1)),
        dy(normal_values(rows * width, 4)) {}

  Doubles row(const Floats& of, std::int64_t i) const {
    return {of.begin() + i * width, of.begin() + (i + 1) * width};
  }
};

struct Forward {
  Floats y, rstd;
};

Forward forward(const Problem& problem) {
  GuardedFloats x(problem.x), weight(problem.weight), y(std::ssize(problem.x)), rstd(problem.rows);
  const Shape shape = {problem.rows, problem.width};
  rms_norm_forward(x.tensor(shape), weight.tensor(), kEpsilon, y.tensor(shape), rstd.tensor());
  return {y.copy(), rstd.copy()};
}

struct Backward {
  Floats dx, dweight;
};

// With `start` in dx (then added to) and dweight.
Backward backward(const Problem& problem, Write write = Write::over, float start = 0) {
  GuardedFloats x(problem.x), weight(problem.weight), rstd(forward(problem).rstd), dy(problem.dy);
  GuardedFloats dx(Floats(problem.x.size(), start)), dweight(Floats(problem.weight.size(), start)),
      workspace(rms_norm_workspace(problem.rows, problem.width));
  const Shape shape = {problem.rows, problem.width};
  rms_norm_backward(x.tensor(shape), weight.tensor(), rstd.tensor(), dy.tensor(shape), dx.tensor(shape),
                    write, dweight.tensor(), workspace.tensor());
  return {dx.copy(), dweight.copy()};
}

double rstd_of(const Doubles& x) {
  double square = 0;
  for (double value : x) square += value * value;
  return 1 / std::sqrt(square / static_cast<double>(x.size()) + kEpsilon);
}

// rstd rounded once, and two products.
void expect_forward(const Problem& problem) {
  const Forward got = forward(problem);
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    const Doubles x = problem.row(problem.x, i), weight = problem.row(problem.weight, 0);
    Doubles want(x.size());
    reference::rms_norm(problem.width, x.data(), weight.data(), kEpsilon, want.data());
    for (std::size_t d = 0; d < x.size(); ++d) {
      const float y = got.y[static_cast<std::size_t>(i * problem.width) + d];
      ASSERT_NEAR(y, want[d], 3 * kRounding * std::abs(want[d])) << "row " << i << " column " << d;
    }
  }
}

Doubles reference_gradient(const Problem& problem, std::int64_t i) {
  const Doubles weight = problem.row(problem.weight, 0), dy = problem.row(problem.dy, i);
  const auto loss = [&](std::span<const std::complex<double>> x) {
    const std::vector<std::complex<double>> w(weight.begin(), weight.end());
    std::vector<std::complex<double>> y(x.size());
    reference::rms_norm(problem.width, x.data(), w.data(), kEpsilon, y.data());
    std::complex<double> sum = 0;
    for (std::size_t d = 0; d < y.size(); ++d) sum += y[d] * dy[d];
    return sum;
  };
  return complex_step(loss, problem.row(problem.x, i));
}

// dx = rstd (g - n average(g n)): at most six roundings of each term.
void expect_dx(const Problem& problem) {
  const Backward got = backward(problem);
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    const Doubles want = reference_gradient(problem, i), weight = problem.row(problem.weight, 0),
                  x = problem.row(problem.x, i);
    const double rstd = rstd_of(x);
    Doubles g = problem.row(problem.dy, i);
    double average = 0;
    for (std::size_t d = 0; d < g.size(); ++d) {
      g[d] *= weight[d];
      average += g[d] * x[d] * rstd / static_cast<double>(g.size());
    }
    for (std::size_t d = 0; d < g.size(); ++d) {
      const double terms = std::abs(g[d]) + std::abs(x[d] * rstd * average);
      const float dx = got.dx[static_cast<std::size_t>(i * problem.width) + d];
      ASSERT_NEAR(dx, want[d], 6 * kRounding * rstd * terms) << "row " << i << " column " << d;
    }
  }
}

// A sum over rows: three roundings of each term, and one for every addition that it goes through.
void expect_dweight(const Problem& problem) {
  const Backward got = backward(problem);
  const std::size_t width = static_cast<std::size_t>(problem.width);
  Doubles dweight(width), terms(width);
  for (std::int64_t i = 0; i < problem.rows; ++i) {
    const Doubles x = problem.row(problem.x, i), dy = problem.row(problem.dy, i);
    const double rstd = rstd_of(x);
    for (std::size_t d = 0; d < width; ++d) {
      dweight[d] += dy[d] * x[d] * rstd;
      terms[d] += std::abs(dy[d] * x[d] * rstd);
    }
  }
  const double additions =
      static_cast<double>(std::min<std::int64_t>(problem.rows, 64) + problem.rows / 64 + 1);
  for (std::size_t d = 0; d < width; ++d) {
    ASSERT_NEAR(got.dweight[d], dweight[d], kRounding * (3 + additions) * terms[d]) << "column " << d;
  }
}

TEST(RmsNorm, ForwardEqualsTheReferenceForAnyWidth) {
  on_every_instruction_set([] {
    for (std::int64_t width = 1; width <= 70; ++width) expect_forward(Problem(3, width));
    expect_forward(Problem(5, 768));
    expect_forward(Problem(2, 1023));
  });
}

TEST(RmsNorm, DxIsTheDerivativeOfTheReference) {
  on_every_instruction_set([] {
    for (std::int64_t width = 1; width <= 70; width += width < 20 ? 1 : 7) expect_dx(Problem(2, width));
  });
}

TEST(RmsNorm, DweightSumsOverRows) {
  on_every_instruction_set([] {
    for (std::int64_t rows : {1, 63, 64, 65, 200}) {
      expect_dweight(Problem(rows, 37));
      expect_dweight(Problem(rows, 300));
    }
  });
}

TEST(RmsNorm, SquaresDoNotOverflowOrVanish) {
  for (double scale : {1e30, 1e-4}) {
    expect_forward(Problem(3, 65, scale));
    expect_dx(Problem(3, 65, scale));
  }
}

// By hand: the mean stays in, and epsilon stands under the root.
TEST(RmsNorm, IsTheFormula) {
  Problem problem(1, 4);
  problem.x = {1, 2, 3, 6};
  problem.weight = {1, 1, 2, -1};
  const Forward got = forward(problem);
  const double rstd = 1 / std::sqrt(12.5 + kEpsilon);
  EXPECT_FLOAT_EQ(got.rstd[0], static_cast<float>(rstd));
  const double want[] = {rstd, 2 * rstd, 6 * rstd, -6 * rstd};
  for (std::size_t d = 0; d < 4; ++d) EXPECT_FLOAT_EQ(got.y[d], static_cast<float>(want[d]));
}

TEST(RmsNorm, ZerosGiveZeros) {
  Problem problem(2, 33);
  std::fill(problem.x.begin(), problem.x.end(), 0.0f);
  for (float y : forward(problem).y) EXPECT_EQ(y, 0.0f);
  for (float dweight : backward(problem).dweight) EXPECT_EQ(dweight, 0.0f);
  expect_dx(problem);
}

TEST(RmsNorm, GradientsAreAddedWhereTheContractSaysSo) {
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
  for (std::size_t d = 0; d < plain.dweight.size(); ++d) {
    EXPECT_NEAR(written.dweight[d], 2 + plain.dweight[d], 4 * kRounding * (2 + 70));
  }
}

TEST(RmsNorm, OutputMayBeTheInput) {
  const Problem problem(3, 35);
  const Shape shape = {3, 35};
  GuardedFloats x(problem.x), weight(problem.weight), rstd(3);
  rms_norm_forward(x.tensor(shape), weight.tensor(), kEpsilon, x.tensor(shape), rstd.tensor());
  EXPECT_TRUE(same_bits(x.copy(), forward(problem).y));
  GuardedFloats in(problem.x), dy(problem.dy), dweight(Floats(35)), workspace(rms_norm_workspace(3, 35));
  rms_norm_backward(in.tensor(shape), weight.tensor(), rstd.tensor(), dy.tensor(shape), dy.tensor(shape),
                    Write::over, dweight.tensor(), workspace.tensor());
  EXPECT_TRUE(same_bits(dy.copy(), backward(problem).dx));
}

TEST(RmsNorm, RowsDoNotSeeEachOther) {
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
}

TEST(RmsNorm, SameBitsForAnyNumberOfThreads) {
  const Problem problem(333, 300);
  expect_same_for_any_threads([&] { return forward(problem).y; }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return backward(problem).dx; }, same_bits<Floats>);
  expect_same_for_any_threads([&] { return backward(problem).dweight; }, same_bits<Floats>);
}

}  // namespace
}  // namespace surprisal
