#include "ops/decomposed.h"

#include <cmath>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/decomposed_reference.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24, kScale = -1.75;

using Floats = std::vector<float>;

TEST(Decomposed, NormsAreThoseOfTheAdaptedRows) {
  for (auto [out, in, rank] : {std::tuple{1, 1, 1}, {5, 7, 2}, {50, 36, 4}, {33, 97, 8}}) {
    SCOPED_TRACE(testing::PrintToString(std::tuple(out, in, rank)));
    GuardedFloats weight(normal_values(out * in, 1)), a(normal_values(rank * in, 2)),
        b(normal_values(out * rank, 3)), norm(out);
    adapted_row_norms(weight.tensor({out, in}),
                      {a.tensor({rank, in}), b.tensor({out, rank}), static_cast<float>(kScale)},
                      norm.tensor({out}));
    const std::vector<double> want =
        reference::adapted_norms(in, out, rank, weight.data(), a.data(), b.data(), kScale);
    for (std::int64_t j = 0; j < out; ++j) {
      double size = 0;  // of the terms that a row's numbers are sums of
      for (std::int64_t k = 0; k < in; ++k) {
        double term = std::abs(weight.data()[j * in + k]);
        for (std::int64_t r = 0; r < rank; ++r)
          term += std::abs(kScale * b.data()[j * rank + r] * a.data()[r * in + k]);
        size += term * term;
      }
      const double tolerance = (static_cast<double>(rank) + 4) * kRounding * std::sqrt(size);
      EXPECT_NEAR(norm.data()[j], want[static_cast<std::size_t>(j)], tolerance) << j;
    }
  }
}

struct Outcome {
  Floats y, ddirected, dbase, dmagnitude;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

struct Problem {
  std::int64_t rows, out;
  Floats base = normal_values(rows * out, 1), directed = normal_values(rows * out, 2),
         dy = normal_values(rows * out, 3), magnitude = normal_values(out, 4), norm = normal_values(out, 5);
  Problem(std::int64_t row_count, std::int64_t outputs) : rows(row_count), out(outputs) {
    for (float& value : norm) value = 1 + std::abs(value);
  }
};

Outcome run(const Problem& p, float start) {
  GuardedFloats base(p.base), directed(p.directed), dy(p.dy), magnitude(p.magnitude), norm(p.norm),
      y(Floats(p.dy.size(), start)), ddirected(p.rows * p.out), dbase(p.rows * p.out),
      dmagnitude(Floats(p.magnitude.size(), start));
  const Shape shape{p.rows, p.out}, row{p.out};
  decomposed_forward(base.tensor(shape), directed.tensor(shape), magnitude.tensor(row), norm.tensor(row),
                     matrix(y.tensor(shape)));
  decomposed_backward(directed.tensor(shape), magnitude.tensor(row), norm.tensor(row),
                      matrix(dy.tensor(shape)), dmagnitude.tensor(row), ddirected.tensor(shape));
  decomposed_base_gradient(ddirected.tensor(shape), matrix(dy.tensor(shape)), dbase.tensor(shape));
  return {y.copy(), ddirected.copy(), dbase.copy(), dmagnitude.copy()};
}

// Each is a formula of a few numbers, and the magnitude's gradient a sum of N of them.
TEST(Decomposed, ForwardAndBackwardAreTheReferenceAndItsDerivatives) {
  for (auto [rows, out] : {std::pair{1, 1}, {3, 5}, {70, 33}, {129, 200}}) {
    SCOPED_TRACE(testing::PrintToString(std::pair(rows, out)));
    const Problem p(rows, out);
    const Outcome got = run(p, 0.5f);
    for (std::int64_t j = 0; j < out; ++j) {
      const auto column = static_cast<std::size_t>(j);
      const double norm = p.norm[column], gain = p.magnitude[column] / norm;
      double sum = 0.5, size = 0.5;
      for (std::int64_t i = 0; i < rows; ++i) {
        const auto at = static_cast<std::size_t>(i * out + j);
        const double base = p.base[at], directed = p.directed[at], dy = p.dy[at];
        const double y =
            0.5 + reference::decomposed(base, directed - base, double{p.magnitude[column]}, norm);
        EXPECT_NEAR(got.y[at], y, 6 * kRounding * (0.5 + std::abs(gain * directed) + std::abs(base)));
        EXPECT_NEAR(got.ddirected[at], gain * dy, 3 * kRounding * std::abs(gain * dy));
        EXPECT_NEAR(got.dbase[at], (gain - 1) * dy, 4 * kRounding * (std::abs(gain) + 1) * std::abs(dy));
        sum += dy * directed / norm;
        size += std::abs(dy * directed / norm);
      }
      EXPECT_NEAR(got.dmagnitude[column], sum, 4 * kRounding * size);
    }
  }
}

TEST(Decomposed, SameBitsForAnyThreads) {
  expect_same_for_any_threads([] { return run(Problem(200, 130), 1); },
                              [](const Outcome& a, const Outcome& b) { return a == b; });
}

}  // namespace
}  // namespace surprisal
