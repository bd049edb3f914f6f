#include "ops/low_rank.h"

#include <cmath>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/low_rank_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24, kScale = -1.75;
constexpr std::int64_t kBeside = 3;  // columns of y on either side, which are another branch's

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

struct Problem {
  std::int64_t rows, in, out, rank;
  Floats x, a, b, dy;
  Problem(std::int64_t row_count, std::int64_t inputs, std::int64_t outputs, std::int64_t r)
      : rows(row_count),
        in(inputs),
        out(outputs),
        rank(r),
        x(normal_values(rows * in, 1)),
        a(normal_values(rank * in, 2)),
        b(normal_values(out * rank, 3)),
        dy(normal_values(rows * out, 4)) {}
};

const std::vector<Problem>& problems() {
  static const std::vector<Problem> all = {{1, 1, 1, 1},    {3, 7, 5, 2},      {17, 36, 50, 4},
                                           {70, 33, 97, 8}, {129, 12, 36, 64}, {300, 50, 130, 3}};
  return all;
}

struct Outcome {
  Floats y, dx, da, db;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// y lies in the middle of wider rows, and everything is added to `start`.
Outcome run(const Problem& p, float start) {
  const std::int64_t wide = p.out + 2 * kBeside;
  GuardedFloats x(p.x), a(p.a), b(p.b), inner(p.rows * p.rank), dinner(p.rows * p.rank),
      y(Floats(static_cast<std::size_t>(p.rows * wide), start)), dy(p.rows * wide),
      dx(Floats(p.x.size(), start)), da(Floats(p.a.size(), start)), db(Floats(p.b.size(), start));
  for (std::int64_t row = 0; row < p.rows; ++row)
    std::copy_n(p.dy.data() + row * p.out, p.out, dy.data() + row * wide + kBeside);
  const LowRank branch{a.tensor({p.rank, p.in}), b.tensor({p.out, p.rank}), static_cast<float>(kScale)};
  const auto middle = [&](GuardedFloats& of) { return Matrix{of.data() + kBeside, p.rows, p.out, wide}; };
  const Tensor in = x.tensor({p.rows, p.in}), kept = inner.tensor({p.rows, p.rank});
  low_rank_forward(in, branch, kept, middle(y));
  const Tensor dkept = dinner.tensor({p.rows, p.rank});
  low_rank_backward(in, branch, kept, middle(dy), dkept, da.tensor({p.rank, p.in}),
                    db.tensor({p.out, p.rank}));
  low_rank_input_gradient(dkept, branch, matrix(dx.tensor({p.rows, p.in})));
  Outcome outcome{.y = {}, .dx = dx.copy(), .da = da.copy(), .db = db.copy()};
  for (std::int64_t row = 0; row < p.rows; ++row) {
    for (std::int64_t column = 0; column < wide; ++column) {
      const float value = y.data()[row * wide + column];
      if (column < kBeside || column >= kBeside + p.out) {
        EXPECT_EQ(value, start) << "outside of the branch's columns";
      } else {
        outcome.y.push_back(value);
      }
    }
  }
  return outcome;
}

// sum of dy * y, in any number type, of [x, a, b].
template <class Number>
Number loss(const Problem& p, std::span<const Number> point, bool absolute = false) {
  const Number *x = point.data(), *a = x + p.x.size(), *b = a + p.a.size();
  std::vector<Number> y(static_cast<std::size_t>(p.rows * p.out), Number(0));
  reference::low_rank(p.rows, p.in, p.out, p.rank, x, a, b, absolute ? std::abs(kScale) : kScale, y.data());
  Number sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double weight = absolute ? std::abs(double{p.dy[i]}) : double{p.dy[i]};
    sum += weight * y[i];
  }
  return sum;
}

Doubles point_of(const Problem& p, bool absolute = false) {
  Doubles point;
  for (const Floats* values : {&p.x, &p.a, &p.b}) {
    for (float value : *values) point.push_back(absolute ? std::abs(double{value}) : double{value});
  }
  return point;
}

// Sums of at most `length` terms of the sizes that absolute operands give.
void expect_near(const Floats& got, const double* want, const double* size, std::int64_t length, float start,
                 const char* name) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double tolerance = static_cast<double>(length + 4) * kRounding * (size[i] + std::abs(start));
    ASSERT_NEAR(got[i], start + want[i], tolerance) << name << " element " << i;
  }
}

TEST(LowRank, ForwardIsTheReference) {
  for (const Problem& p : problems()) {
    SCOPED_TRACE(testing::PrintToString(std::tuple(p.rows, p.in, p.out, p.rank)));
    const Doubles point = point_of(p), sizes = point_of(p, true);
    Doubles want(p.dy.size()), size(p.dy.size());
    const auto product = [&](const Doubles& at, double scale, Doubles& y) {
      reference::low_rank(p.rows, p.in, p.out, p.rank, at.data(), at.data() + p.x.size(),
                          at.data() + p.x.size() + p.a.size(), scale, y.data());
    };
    product(point, kScale, want);
    product(sizes, std::abs(kScale), size);
    expect_near(run(p, 0.5f).y, want.data(), size.data(), p.in + p.rank, 0.5f, "y");
  }
}

TEST(LowRank, BackwardIsTheComplexStep) {
  for (const Problem& p : problems()) {
    if (p.rows * p.out > 2000) continue;  // the step goes through the whole once for each number
    SCOPED_TRACE(testing::PrintToString(std::tuple(p.rows, p.in, p.out, p.rank)));
    const auto gradient_of = [&](bool absolute) {
      return complex_step([&](std::span<const std::complex<double>> at) { return loss(p, at, absolute); },
                          point_of(p, absolute));
    };
    const Doubles want = gradient_of(false), size = gradient_of(true);
    const Outcome got = run(p, 0.25f);
    const std::size_t a = p.x.size(), b = a + p.a.size();
    const std::int64_t length = p.rows + p.out + p.in + p.rank;
    expect_near(got.dx, want.data(), size.data(), length, 0.25f, "dx");
    expect_near(got.da, want.data() + a, size.data() + a, length, 0.25f, "da");
    expect_near(got.db, want.data() + b, size.data() + b, length, 0.25f, "db");
  }
}

// Untrained, B is zero: the layer's output keeps its bits.
TEST(LowRank, AZeroBLeavesEveryBit) {
  Problem p(40, 36, 50, 4);
  std::fill(p.b.begin(), p.b.end(), 0.0f);
  EXPECT_THAT(run(p, 0.1f).y, testing::Each(0.1f));
}

TEST(LowRank, SameBitsForAnyThreads) {
  expect_same_for_any_threads([] { return run(problems().back(), 1); },
                              [](const Outcome& a, const Outcome& b) { return a == b; });
}

}  // namespace
}  // namespace surprisal
