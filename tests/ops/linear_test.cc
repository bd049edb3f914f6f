#include "ops/linear.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/linear_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24;

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

Doubles widen(const Floats& values, bool absolute = false) {
  Doubles wide(values.begin(), values.end());
  if (absolute) {
    for (double& value : wide) value = std::abs(value);
  }
  return wide;
}

struct Problem {
  std::int64_t rows, in, out;
  Floats x, weight, bias, dy;

  Problem(std::int64_t row_count, std::int64_t inputs, std::int64_t outputs)
      : rows(row_count),
        in(inputs),
        out(outputs),
        x(normal_values(rows * in, 1)),
        weight(normal_values(out * in, 2)),
        bias(normal_values(out, 3)),
        dy(normal_values(rows * out, 4)) {}
};

Floats forward(const Problem& problem, bool with_bias) {
  GuardedFloats x(problem.x), weight(problem.weight), bias(problem.bias), y(problem.rows * problem.out);
  linear_forward(x.tensor({problem.rows, problem.in}), weight.tensor({problem.out, problem.in}),
                 with_bias ? bias.tensor() : Tensor(), y.tensor({problem.rows, problem.out}));
  return y.copy();
}

struct Wanted {
  bool dx = true, dweight = true, dbias = true;
};

struct Gradients {
  Floats dx, dweight, dbias;
};

// Everything starts at `start`; dx is added to where `write` says so.
Gradients backward(const Problem& problem, Write write = Write::over, float start = 0,
                   const Wanted& wanted = {}) {
  GuardedFloats x(problem.x), weight(problem.weight), dy(problem.dy),
      dx(Floats(problem.x.size(), write == Write::add ? start : NAN)),
      dweight(Floats(problem.weight.size(), start)), dbias(Floats(problem.bias.size(), start)),
      workspace(linear_workspace(problem.rows, problem.out));
  linear_backward(x.tensor({problem.rows, problem.in}), weight.tensor({problem.out, problem.in}),
                  dy.tensor({problem.rows, problem.out}),
                  wanted.dx ? dx.tensor({problem.rows, problem.in}) : Tensor(), write,
                  wanted.dweight ? dweight.tensor({problem.out, problem.in}) : Tensor(),
                  wanted.dbias ? dbias.tensor() : Tensor(), workspace.tensor());
  return {dx.copy(), dweight.copy(), dbias.copy()};
}

// d(sum of dy * y) / d(x, weight, bias), in double; with absolute operands, the size of what is summed.
struct ExactGradients {
  Doubles dx, dweight, dbias;
};
ExactGradients exact_gradients(const Problem& problem, bool absolute) {
  const Doubles x = widen(problem.x, absolute), weight = widen(problem.weight, absolute),
                dy = widen(problem.dy, absolute);
  ExactGradients exact = {Doubles(x.size()), Doubles(weight.size()), Doubles(problem.bias.size())};
  const std::size_t in = static_cast<std::size_t>(problem.in), out = static_cast<std::size_t>(problem.out);
  for (std::size_t i = 0; i < static_cast<std::size_t>(problem.rows); ++i) {
    for (std::size_t j = 0; j < out; ++j) {
      const double gradient = dy[i * out + j];
      exact.dbias[j] += gradient;
      for (std::size_t k = 0; k < in; ++k) {
        exact.dx[i * in + k] += gradient * weight[j * in + k];
        exact.dweight[j * in + k] += gradient * x[i * in + k];
      }
    }
  }
  return exact;
}

// A sum of `length` terms errs by at most that many roundings of their sizes; `start` is one of them.
void expect_near(const Floats& got, const Doubles& want, const Doubles& size, std::int64_t length,
                 float start, const char* name) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double tolerance = static_cast<double>(length + 3) * kRounding * (size[i] + std::abs(start));
    ASSERT_NEAR(got[i], start + want[i], tolerance) << name << " element " << i;
  }
}

void expect_forward(const Problem& problem, bool with_bias) {
  const auto product = [&](bool absolute) {
    const Doubles x = widen(problem.x, absolute), weight = widen(problem.weight, absolute),
                  bias = widen(problem.bias, absolute);
    Doubles y(static_cast<std::size_t>(problem.rows * problem.out));
    reference::linear(problem.rows, problem.in, problem.out, x.data(), weight.data(),
                      with_bias ? bias.data() : nullptr, y.data());
    return y;
  };
  expect_near(forward(problem, with_bias), product(false), product(true), problem.in, 0, "y");
}

void expect_backward(const Problem& problem, Write write, float start) {
  const Gradients got = backward(problem, write, start);
  const ExactGradients want = exact_gradients(problem, false), size = exact_gradients(problem, true);
  expect_near(got.dx, want.dx, size.dx, problem.out, write == Write::add ? start : 0, "dx");
  expect_near(got.dweight, want.dweight, size.dweight, problem.rows, start, "dweight");
  expect_near(got.dbias, want.dbias, size.dbias, problem.rows, start, "dbias");
}

// Bias sums are cut every 128 rows and every 512 columns.
const std::vector<Problem>& problems() {
  static const std::vector<Problem> all = {
      {1, 1, 1},   {1, 7, 3},     {3, 1, 7},     {17, 36, 50},  {127, 5, 33}, {128, 3, 511},
      {129, 4, 1}, {257, 2, 513}, {300, 12, 36}, {5, 50, 1025}, {0, 5, 7},
  };
  return all;
}

TEST(Linear, ForwardIsTheReference) {
  for (const Problem& problem : problems()) {
    SCOPED_TRACE(testing::PrintToString(std::tuple(problem.rows, problem.in, problem.out)));
    expect_forward(problem, true);
    expect_forward(problem, false);
  }
}

TEST(Linear, BackwardIsTheTransposedProducts) {
  for (const Problem& problem : problems()) {
    SCOPED_TRACE(testing::PrintToString(std::tuple(problem.rows, problem.in, problem.out)));
    expect_backward(problem, Write::over, 0);
    expect_backward(problem, Write::add, 0.75f);
  }
}

// The formulas that the test above uses, against the derivative of the forward reference.
TEST(Linear, FormulasAreTheDerivativeOfTheReference) {
  const Problem problem(5, 4, 3);
  const std::size_t x = problem.x.size(), weight = problem.weight.size();
  Doubles point = widen(problem.x);
  for (const Floats* more : {&problem.weight, &problem.bias})
    point.insert(point.end(), more->begin(), more->end());
  const auto loss = [&](std::span<const std::complex<double>> at) {
    std::vector<std::complex<double>> y(problem.dy.size());
    reference::linear(problem.rows, problem.in, problem.out, at.data(), at.data() + x, at.data() + x + weight,
                      y.data());
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * static_cast<double>(problem.dy[i]);
    return sum;
  };
  const ExactGradients exact = exact_gradients(problem, false);
  Doubles want = exact.dx;
  for (const Doubles* more : {&exact.dweight, &exact.dbias})
    want.insert(want.end(), more->begin(), more->end());
  EXPECT_THAT(complex_step(loss, point), testing::Pointwise(testing::DoubleNear(1e-14), want));
}

TEST(Linear, WhatIsNotAskedForIsNotWritten) {
  const Problem problem(130, 6, 5);
  const Gradients all = backward(problem, Write::add, 2);
  const auto unwritten = [](const Floats& values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return value == 2; });
  };
  const Gradients no_dx = backward(problem, Write::add, 2, {.dx = false});
  EXPECT_TRUE(unwritten(no_dx.dx) && no_dx.dweight == all.dweight && no_dx.dbias == all.dbias);
  const Gradients frozen = backward(problem, Write::add, 2, {.dweight = false, .dbias = false});
  EXPECT_TRUE(frozen.dx == all.dx && unwritten(frozen.dweight) && unwritten(frozen.dbias));
}

TEST(Linear, SameBitsForAnyNumberOfThreads) {
  const Problem problem(700, 40, 600);
  const auto run = [&] {
    Floats bits = forward(problem, true);
    const Gradients gradients = backward(problem);
    for (const Floats* more : {&gradients.dx, &gradients.dweight, &gradients.dbias}) {
      bits.insert(bits.end(), more->begin(), more->end());
    }
    return bits;
  };
  expect_same_for_any_threads(run, same_bits<Floats>);
}

}  // namespace
}  // namespace surprisal
