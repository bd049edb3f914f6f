#include "ops/linear_cross_entropy.h"

#include <cmath>
#include <complex>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "ops/linear_cross_entropy_reference.h"
#include "tests/ops/complex_step.h"
#include "tests/ops/every_machine.h"
#include "tests/ops/guarded.h"
#include "tests/ops/sample_values.h"

namespace surprisal {
namespace {

constexpr double kRounding = 0x1p-24;

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Ints = std::vector<std::int32_t>;

struct Problem {
  std::int64_t targets, vocabulary, width;
  Floats hidden, weight, bias, scale;
  Ints target;
  bool exact_logits = false;  // every logit is a float

  Problem(std::int64_t rows, std::int64_t ids, std::int64_t columns)
      : targets(rows),
        vocabulary(ids),
        width(columns),
        hidden(normal_values(rows * columns, 1)),
        weight(normal_values(ids * columns, 2)),
        bias(normal_values(ids, 3)),
        scale(normal_values(rows, 4)) {
    Random random({.seed = 5});
    for (std::int64_t t = 0; t < rows; ++t) {
      target.push_back(static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(ids))));
    }
    if (rows > 1) target.front() = 0, target.back() = static_cast<std::int32_t>(ids) - 1;
  }

  // Whole numbers: logits are exact, and up to about 1e4 on either side.
  void make_huge() {
    for (Floats* values : {&hidden, &weight, &bias}) {
      for (float& value : *values) value = std::round(25 * value);
    }
    exact_logits = true;
  }
};

struct Wanted {
  bool dweight = true, dbias = true;
  float dweight_scale = 1;
};

struct Result {
  Floats surprisal, dhidden, dweight, dbias;
  Ints predicted;

  Floats all() const {
    Floats values = surprisal;
    for (const Floats* more : {&dhidden, &dweight, &dbias})
      values.insert(values.end(), more->begin(), more->end());
    values.insert(values.end(), predicted.begin(), predicted.end());
    return values;
  }
};

constexpr std::size_t kPlenty = std::size_t{1} << 26;

// A problem in guarded buffers.
struct Operands {
  explicit Operands(const Problem& problem, std::size_t budget)
      : hidden(problem.hidden),
        weight(problem.weight),
        bias(problem.bias),
        workspace(cross_entropy_workspace(problem.targets, problem.vocabulary, budget)),
        surprisal(problem.targets),
        predicted(problem.targets),
        input{hidden.tensor({problem.targets, problem.width}),
              weight.tensor({problem.vocabulary, problem.width}),
              problem.bias.empty() ? Tensor() : bias.tensor(), problem.target} {}
  GuardedFloats hidden, weight, bias, workspace, surprisal;
  GuardedInts predicted;
  CrossEntropyInput input;
};

Result run(const Problem& problem, std::size_t budget = kPlenty, float start = 0, const Wanted& wanted = {}) {
  Operands operands(problem, budget);
  GuardedFloats dhidden(problem.targets * problem.width), dweight(Floats(problem.weight.size(), start)),
      dbias(Floats(static_cast<std::size_t>(problem.vocabulary), start));
  linear_cross_entropy(operands.input,
                       {problem.scale, dhidden.tensor({problem.targets, problem.width}),
                        wanted.dweight ? dweight.tensor({problem.vocabulary, problem.width}) : Tensor(),
                        wanted.dbias ? dbias.tensor() : Tensor(), Write::add, wanted.dweight_scale},
                       operands.surprisal.span(), operands.predicted.span(), operands.workspace.tensor());
  return {operands.surprisal.copy(), dhidden.copy(), dweight.copy(), dbias.copy(), operands.predicted.copy()};
}

// A value and the most that f32 may be off by.
struct Exact {
  Doubles value, error;
  explicit Exact(std::size_t size) : value(size), error(size) {}
  void add(std::size_t at, double term, double off) {
    value[at] += term;
    error[at] += off;
  }
};

struct ExactResult {
  Exact surprisal, dhidden, dweight, dbias;
};

// First order in u = 2^-24. A logit is off by u (D + 2) times the size of its terms; log-sum-exp by as much,
// and a probability, in relation to itself, by twice that; the sum over the vocabulary is taken in pieces of
// 1024. Then the one-hot is taken off (one rounding of the scale), and products of V or T terms follow.
class ExactOf {
 public:
  explicit ExactOf(const Problem& problem)
      : problem_(problem),
        exact_{Exact(problem.target.size()), Exact(problem.hidden.size()), Exact(problem.weight.size()),
               Exact(static_cast<std::size_t>(problem.vocabulary))} {
    for (std::size_t t = 0; t < problem.target.size(); ++t) add_target(t);
  }
  const ExactResult* operator->() const { return &exact_; }

 private:
  void find_logits(std::size_t t) {
    logits_.assign(vocabulary_, 0);
    size_ = 0;
    most_ = -std::numeric_limits<double>::infinity();
    for (std::size_t v = 0; v < vocabulary_; ++v) {
      double logit = problem_.bias.empty() ? 0 : problem_.bias[v], size = std::abs(logit);
      for (std::size_t d = 0; d < width_; ++d) {
        const double term = double{problem_.hidden[t * width_ + d]} * problem_.weight[v * width_ + d];
        logit += term;
        size += std::abs(term);
      }
      logits_[v] = logit;
      size_ = std::max(size_, size);
      most_ = std::max(most_, logit);
    }
  }

  void add_target(std::size_t t) {
    find_logits(t);
    double sum = 0;
    for (double logit : logits_) sum += std::exp(logit - most_);
    const std::size_t answer = static_cast<std::size_t>(problem_.target[t]);
    const double surprisal = most_ + std::log(sum) - logits_[answer];
    const double logits = problem_.exact_logits ? 0 : 2 * static_cast<double>(width_ + 3) * size_;
    const double relation =
        kRounding * (logits + static_cast<double>(std::min<std::size_t>(vocabulary_, 1024)) + 16);
    exact_.surprisal.add(t, surprisal, relation + kRounding * std::abs(surprisal));
    for (std::size_t v = 0; v < vocabulary_; ++v) {
      const double p = std::exp(logits_[v] - most_) / sum, scale = problem_.scale[t];
      const double gradient = scale * (p - (v == answer ? 1 : 0));
      const double error = std::abs(scale) * (p * relation + (v == answer ? kRounding : 0));
      const auto off = [&](std::size_t terms) {
        return error + static_cast<double>(terms + 3) * kRounding * std::abs(gradient);
      };
      exact_.dbias.add(v, gradient, off(problem_.target.size()));
      for (std::size_t d = 0; d < width_; ++d) {
        const double h = problem_.hidden[t * width_ + d], w = problem_.weight[v * width_ + d];
        exact_.dhidden.add(t * width_ + d, gradient * w, off(vocabulary_) * std::abs(w));
        exact_.dweight.add(v * width_ + d, gradient * h, off(problem_.target.size()) * std::abs(h));
      }
    }
  }

  const Problem& problem_;
  std::size_t vocabulary_ = static_cast<std::size_t>(problem_.vocabulary),
              width_ = static_cast<std::size_t>(problem_.width);
  Doubles logits_;
  double size_ = 0, most_ = 0;
  ExactResult exact_;
};

void expect_near(const Floats& got, const Exact& want, double start, double start_error, const char* name) {
  ASSERT_EQ(got.size(), want.value.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], start + want.value[i], want.error[i] + start_error + 1e-36)
        << name << " element " << i;
  }
}

void expect_result(const Problem& problem, std::size_t budget = kPlenty, float start = 0) {
  const Result got = run(problem, budget, start);
  const ExactOf exact(problem);
  const double kept = static_cast<double>(problem.targets + 3) * kRounding * std::abs(start);
  expect_near(got.surprisal, exact->surprisal, 0, 0, "surprisal");
  expect_near(got.dhidden, exact->dhidden, 0, 0, "dhidden");
  expect_near(got.dweight, exact->dweight, start, kept, "dweight");
  expect_near(got.dbias, exact->dbias, start, kept, "dbias");
}

std::size_t rows_of_budget(const Problem& problem, std::int64_t rows) {
  return static_cast<std::size_t>(rows * problem.vocabulary) * sizeof(float);
}

TEST(LinearCrossEntropy, EveryVocabularyUpToFortyAndBeyond) {
  Ints sizes = {63, 64, 65, 127, 211, 1000, 1023, 1024, 1025, 2111};
  for (std::int32_t size = 1; size <= 40; ++size) sizes.push_back(size);
  for (std::int32_t size : sizes) {
    SCOPED_TRACE(size);
    expect_result({37, size, 12});
    expect_result({1, size, 5}, kPlenty, 0.5f);
  }
}

TEST(LinearCrossEntropy, ChunksOfAnyNumberOfRows) {
  const Problem problem(61, 211, 12);
  for (std::int64_t rows : {0, 1, 2, 15, 16, 17, 48, 60, 61, 600}) {
    SCOPED_TRACE(rows);
    expect_result(problem, rows_of_budget(problem, rows), 0.25f);
  }
  expect_result({1100, 40, 3});  // more than the most rows of a chunk
  expect_result({0, 40, 3});
}

TEST(LinearCrossEntropy, WithoutBias) {
  Problem problem(37, 50, 12);
  const Result with = run(problem);
  problem.bias.clear();
  expect_result(problem);
  EXPECT_NE(run(problem).surprisal, with.surprisal);
}

TEST(LinearCrossEntropy, HugeLogits) {
  for (std::int64_t vocabulary : {2, 19, 1000}) {
    Problem problem(40, vocabulary, 6);
    problem.make_huge();
    expect_result(problem);
    const Result got = run(problem);
    EXPECT_GT(*std::max_element(got.surprisal.begin(), got.surprisal.end()), 1000);
    EXPECT_THAT(got.all(), testing::Each(testing::Truly([](float value) { return std::isfinite(value); })));
  }
}

TEST(LinearCrossEntropy, EqualLogitsAreUniform) {
  for (float size : {0.0f, 1e4f, -1e4f}) {
    Problem problem(3, 50257, 1);
    problem.hidden.assign(3, 1);
    problem.weight.assign(problem.weight.size(), size);
    problem.bias.assign(problem.bias.size(), 0);
    problem.exact_logits = true;
    for (float surprisal : run(problem).surprisal) EXPECT_NEAR(surprisal, std::log(50257.0), 1e-6);
  }
}

// Scales are weights over their sum: a target of scale 0 is scored and teaches nothing.
TEST(LinearCrossEntropy, ScaleOfATargetActsOnItsGradientAlone) {
  Problem problem(9, 30, 4);
  const Result before = run(problem);
  problem.scale[4] = 0;
  expect_result(problem);
  const Result after = run(problem);
  EXPECT_EQ(after.surprisal, before.surprisal);
  for (std::size_t i = 0; i < after.dhidden.size(); ++i) {
    if (i / 4 == 4) {
      EXPECT_EQ(after.dhidden[i], 0);
    } else {
      EXPECT_NEAR(after.dhidden[i], before.dhidden[i], 1e-6);
    }
  }
}

TEST(LinearCrossEntropy, AFrozenHeadIsNotWritten) {
  const Problem problem(40, 30, 4);
  const Result all = run(problem, kPlenty, 2),
               frozen = run(problem, kPlenty, 2, {.dweight = false, .dbias = false});
  EXPECT_EQ(frozen.surprisal, all.surprisal);
  EXPECT_EQ(frozen.dhidden, all.dhidden);
  EXPECT_THAT(frozen.dweight, testing::Each(2));
  EXPECT_THAT(frozen.dbias, testing::Each(2));
}

// A power of two scales without rounding. Several chunks: each adds its share.
TEST(LinearCrossEntropy, ShrinksTheGradientOfTheWeightAlone) {
  const Problem problem(61, 211, 12);
  Result plain = run(problem, rows_of_budget(problem, 16));
  for (float& value : plain.dweight) value *= 0.125f;
  const Result shrunk = run(problem, rows_of_budget(problem, 16), 0, {.dweight_scale = 0.125f});
  EXPECT_TRUE(same_bits(shrunk.all(), plain.all()));
  const Result onto_one = run(problem, kPlenty, 1, {.dweight_scale = 0.125f});
  for (std::size_t i = 0; i < plain.dweight.size(); ++i) {
    EXPECT_NEAR(onto_one.dweight[i], 1 + plain.dweight[i], 64 * kRounding * (1 + std::abs(plain.dweight[i])));
  }
}

TEST(LinearCrossEntropy, EvaluationGivesTheSameBits) {
  const Problem problem(75, 211, 12);
  for (std::int64_t rows : {1, 16, 75}) {
    const std::size_t budget = rows_of_budget(problem, rows);
    Operands operands(problem, budget);
    linear_cross_entropy_forward(operands.input, operands.surprisal.span(), operands.predicted.span(),
                                 operands.workspace.tensor());
    const Result trained = run(problem, budget);
    EXPECT_TRUE(same_bits(operands.surprisal.copy(), trained.surprisal));
    EXPECT_EQ(operands.predicted.copy(), trained.predicted);
  }
}

TEST(LinearCrossEntropy, PredictionsMayBeLeftOut) {
  const Problem problem(20, 30, 4);
  Operands operands(problem, kPlenty);
  linear_cross_entropy_forward(operands.input, operands.surprisal.span(), {}, operands.workspace.tensor());
  EXPECT_EQ(operands.surprisal.copy(), run(problem).surprisal);
  EXPECT_EQ(operands.predicted.copy(), GuardedInts(problem.targets).copy()) << "not written";
}

TEST(LinearCrossEntropy, TheSmallestOfTheMostProbableIsPredicted) {
  for (std::int64_t vocabulary : {1, 2, 16, 17, 211}) {
    for (std::int64_t first = 0; first < vocabulary; first += 1 + vocabulary / 7) {
      Problem problem(2, vocabulary, 1);
      problem.hidden = {1, 1};
      for (std::int64_t v = 0; v < vocabulary; ++v) {
        problem.weight[static_cast<std::size_t>(v)] = v >= first && (v - first) % 3 == 0 ? 2.0f : 1.0f;
      }
      problem.bias.assign(problem.bias.size(), 0);
      EXPECT_THAT(run(problem).predicted, testing::Each(static_cast<std::int32_t>(first))) << vocabulary;
    }
  }
}

TEST(LinearCrossEntropy, WhatIsNotANumberShows) {
  for (std::size_t at : {0, 100, 210}) {
    Problem problem(3, 211, 4);
    problem.target = {0, 100, 210};
    problem.weight[at * 4] = std::numeric_limits<float>::quiet_NaN();
    const Result got = run(problem);
    EXPECT_THAT(got.surprisal, testing::Each(testing::IsNan()));
    EXPECT_THAT(got.predicted, testing::Each(testing::AllOf(testing::Ge(0), testing::Lt(211))));
  }
}

TEST(LinearCrossEntropy, WorkspaceKeepsToItsBudgetForAnyNumberOfTargets) {
  for (std::int64_t vocabulary : {1, 2, 211, 50304, 250000}) {
    for (std::size_t budget : {std::size_t{1}, std::size_t{1} << 16, std::size_t{64} << 20}) {
      const std::size_t one_row = static_cast<std::size_t>(vocabulary) * sizeof(float);
      const std::int64_t most = cross_entropy_workspace(std::int64_t{1} << 40, vocabulary, budget);
      EXPECT_LE(static_cast<std::size_t>(most) * sizeof(float), std::max(budget, one_row));
      for (std::int64_t targets : {1, 2, 15, 1024, 16384}) {
        const std::int64_t size = cross_entropy_workspace(targets, vocabulary, budget);
        EXPECT_LE(size, std::min(most, targets * vocabulary));
        EXPECT_GE(size, vocabulary) << "room for one row";
        EXPECT_EQ(size % vocabulary, 0);
      }
    }
  }
  EXPECT_EQ(cross_entropy_workspace(1024, 50304, std::size_t{64} << 20),
            cross_entropy_workspace(16384, 50304, std::size_t{64} << 20));
}

// What the exact results above are made of: the reference, and its derivative.
TEST(LinearCrossEntropy, ExactGradientsAreTheDerivativeOfTheReference) {
  const Problem problem(6, 9, 4);
  const std::size_t hidden = problem.hidden.size(), weight = problem.weight.size();
  Doubles point(problem.hidden.begin(), problem.hidden.end());
  for (const Floats* more : {&problem.weight, &problem.bias})
    point.insert(point.end(), more->begin(), more->end());
  const auto surprisals = [&](auto at) {
    using Numbers = std::vector<std::remove_const_t<typename decltype(at)::value_type>>;
    const Numbers h(at.begin(), at.begin() + hidden), w(at.begin() + hidden, at.begin() + hidden + weight),
        b(at.begin() + hidden + weight, at.end());
    return reference::linear_cross_entropy(problem.width, h, w, b, problem.target);
  };
  const auto loss = [&](std::span<const std::complex<double>> at) {
    const auto surprisal = surprisals(at);
    std::complex<double> sum = 0;
    for (std::size_t t = 0; t < surprisal.size(); ++t)
      sum += surprisal[t] * static_cast<double>(problem.scale[t]);
    return sum;
  };
  const ExactOf exact(problem);
  Doubles want = exact->dhidden.value;
  for (const Exact* more : {&exact->dweight, &exact->dbias}) {
    want.insert(want.end(), more->value.begin(), more->value.end());
  }
  EXPECT_THAT(surprisals(std::span<const double>(point)),
              testing::Pointwise(testing::DoubleNear(1e-13), exact->surprisal.value));
  EXPECT_THAT(complex_step(loss, point), testing::Pointwise(testing::DoubleNear(1e-13), want));
}

TEST(LinearCrossEntropy, SameBitsForAnyNumberOfThreads) {
  const Problem problem(700, 1000, 20);
  for (std::int64_t rows : {16, 512}) {
    const std::size_t budget = rows_of_budget(problem, rows);
    expect_same_for_any_threads([&] { return run(problem, budget).all(); }, same_bits<Floats>);
  }
}

// Gradients are those of the smoothed loss, by the complex step; the surprisal knows nothing of it.
TEST(LinearCrossEntropy, SmoothedGradientsAreTheDerivativeOfTheReference) {
  const Problem problem(5, 7, 3);
  constexpr double kSmoothing = 0.1, kStep = 1e-20;
  Operands operands(problem, 1 << 8);  // several chunks
  GuardedFloats dhidden(problem.targets * problem.width), dweight(Floats(problem.weight.size(), 0)),
      dbias(Floats(static_cast<std::size_t>(problem.vocabulary), 0));
  linear_cross_entropy(operands.input,
                       {.scale = problem.scale,
                        .dhidden = dhidden.tensor({problem.targets, problem.width}),
                        .dweight = dweight.tensor({problem.vocabulary, problem.width}),
                        .dbias = dbias.tensor(),
                        .smoothing = static_cast<float>(kSmoothing)},
                       operands.surprisal.span(), operands.predicted.span(), operands.workspace.tensor());
  EXPECT_EQ(operands.surprisal.copy(), run(problem, 1 << 8).surprisal);
  using Complexes = std::vector<std::complex<double>>;
  Complexes values[] = {{problem.hidden.begin(), problem.hidden.end()},
                        {problem.weight.begin(), problem.weight.end()},
                        {problem.bias.begin(), problem.bias.end()}};
  const auto loss = [&] {
    std::complex<double> sum = 0;
    const Complexes surprisals =
        reference::linear_cross_entropy(problem.width, values[0], values[1], values[2],
                                        std::span<const std::int32_t>(problem.target), kSmoothing);
    for (std::size_t t = 0; t < surprisals.size(); ++t) sum += surprisals[t] * double{problem.scale[t]};
    return sum.imag() / kStep;
  };
  const Floats got[] = {dhidden.copy(), dweight.copy(), dbias.copy()};
  for (std::size_t tensor = 0; tensor < 3; ++tensor) {
    for (std::size_t i = 0; i < got[tensor].size(); ++i) {
      values[tensor][i] += std::complex<double>(0, kStep);
      ASSERT_NEAR(got[tensor][i], loss(), 2e-6) << "tensor " << tensor << " element " << i;
      values[tensor][i] = values[tensor][i].real();
    }
  }
}

}  // namespace
}  // namespace surprisal
