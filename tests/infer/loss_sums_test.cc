#include "infer/loss_sums.h"

#include <numeric>

#include <gtest/gtest.h>

#include "stream/packing.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

// Rows that see only themselves: one sequence of `size` rows, of part `part`.
Stream sequence(std::int32_t size, std::int32_t part, std::vector<Target> targets,
                std::vector<Label> labels) {
  Stream stream;
  for (std::int32_t row = 0; row < size; ++row) {
    stream.token.push_back(row);
    stream.position.push_back(row);
    stream.visible.push_back({row, row + 1});
  }
  stream.block_position.assign(static_cast<std::size_t>(size), 0);
  stream.segment.assign(static_cast<std::size_t>(size), 0);
  stream.target = std::move(targets);
  stream.label = std::move(labels);
  stream.sequence.push_back({.begin = 0, .end = size, .part = part});
  return stream;
}

// Parts 0, 1, 0 and 1; the second sequence has nothing to predict.
std::vector<Stream> samples() {
  return {sequence(3, 0, {{0, 5, 1}, {2, 6, 0.5f}}, {}), sequence(2, 1, {}, {}),
          sequence(4, 0, {{3, 7, 2}}, {{0, 1, 1}}), sequence(1, 1, {{0, 8, 4}}, {{0, 0, 3}})};
}

Stream packed(const std::vector<Stream>& samples) {
  Stream stream;
  for (const Stream& sample : samples) append(stream, sample);
  return stream;
}

// What a model might say of packed(samples()): every second token and no label is predicted right.
StreamResult packed_result() {
  return {.token = {.surprisal = {1, 2, 3, 4}, .predicted = {5, 0, 7, 0}},
          .label = {.surprisal = {0.25f, 0.5f}, .predicted = {0, 1}}};
}

const LossWeights kLambda{.token = {1, 0.25}, .label = {0.5, 2}};

TEST(LossSums, KeepsEveryTermOfEveryPartAsAPair) {
  LossSums sums(2);
  Stream stream = packed(samples());
  sums.add_weights(stream);
  sums.add_result(stream, packed_result());
  EXPECT_DOUBLE_EQ(sums.token().by_part[0].sum, 1 * 1 + 0.5 * 2 + 2 * 3);
  EXPECT_DOUBLE_EQ(sums.token().by_part[0].weight, 3.5);
  EXPECT_DOUBLE_EQ(sums.token().by_part[1].sum, 4 * 4);
  EXPECT_DOUBLE_EQ(sums.token().by_part[1].weight, 4);
  EXPECT_DOUBLE_EQ(sums.label().by_part[0].sum, 0.25);
  EXPECT_DOUBLE_EQ(sums.label().by_part[1].sum, 1.5);
  EXPECT_DOUBLE_EQ(sums.token().total().mean(), 24 / 7.5);
  EXPECT_DOUBLE_EQ(sums.label().total().mean(), 1.75 / 4);
  EXPECT_EQ(sums.token().count, 4u);
  EXPECT_EQ(sums.token().correct, 2u);
  EXPECT_EQ(sums.label().count, 2u);
  EXPECT_EQ(sums.label().correct, 0u);
}

// All targets of a step share one weight, whatever their part; lambda is the part's own.
TEST(LossSums, LossIsTheWeightedSumOfTheTerms) {
  LossSums sums(2);
  Stream stream = packed(samples());
  sums.add_weights(stream);
  sums.add_result(stream, packed_result());
  EXPECT_DOUBLE_EQ(sums.loss(kLambda), (1 * 8 + 0.25 * 16) / 7.5 + (0.5 * 0.25 + 2 * 1.5) / 4);
}

TEST(LossSums, GradientsAreTheDerivativeOfTheLoss) {
  LossSums sums(2);
  Stream stream = packed(samples());
  sums.add_weights(stream);
  SurprisalGradients gradients;
  set_surprisal_gradients(stream, sums, kLambda, gradients);
  StreamResult result = packed_result();
  auto loss = [&] {
    LossSums with(2);
    with.add_weights(stream);
    with.add_result(stream, result);
    return with.loss(kLambda);
  };
  auto check = [&](std::vector<float>& surprisal, const std::vector<float>& gradient) {
    ASSERT_EQ(surprisal.size(), gradient.size());
    for (std::size_t index = 0; index < surprisal.size(); ++index) {
      double before = loss();
      surprisal[index] += 1;  // the loss is linear
      EXPECT_NEAR(gradient[index], loss() - before, 1e-7);
      surprisal[index] -= 1;
    }
  };
  check(result.token.surprisal, gradients.token);
  check(result.label.surprisal, gradients.label);
}

TEST(LossSums, GradientsOfATermSumToItsLambda) {
  LossSums sums(2);
  Stream stream = packed(samples());
  sums.add_weights(stream);
  SurprisalGradients gradients;
  set_surprisal_gradients(stream, sums, {.token = {0.75, 0.75}, .label = {2, 2}}, gradients);
  EXPECT_NEAR(std::accumulate(gradients.token.begin(), gradients.token.end(), 0.0), 0.75, 1e-6);
  EXPECT_NEAR(std::accumulate(gradients.label.begin(), gradients.label.end(), 0.0), 2, 1e-6);
}

TEST(LossSums, MicroBatchesMakeNoDifference) {
  std::vector<Stream> all = samples();
  Stream whole = packed(all), first = packed({all[0], all[1]}), second = packed({all[2], all[3]});
  LossSums one(2), two(2);
  one.add_weights(whole);
  two.add_weights(first);
  two.add_weights(second);
  SurprisalGradients expected, left, right;
  set_surprisal_gradients(whole, one, kLambda, expected);
  set_surprisal_gradients(first, two, kLambda, left);
  set_surprisal_gradients(second, two, kLambda, right);
  left.token.insert(left.token.end(), right.token.begin(), right.token.end());
  left.label.insert(left.label.end(), right.label.begin(), right.label.end());
  EXPECT_EQ(left.token, expected.token);
  EXPECT_EQ(left.label, expected.label);

  one.add_result(whole, packed_result());
  two.add_result(first, {.token = {{1, 2}, {5, 0}}, .label = {}});
  two.add_result(second, {.token = {{3, 4}, {7, 0}}, .label = {{0.25f, 0.5f}, {0, 1}}});
  EXPECT_DOUBLE_EQ(two.loss(kLambda), one.loss(kLambda));
  EXPECT_EQ(two.token().correct, one.token().correct);
}

// Targets 0 and 3 are ordinary; the choice between 1 and 2 is of part 0, that of target 4 of part 1.
Stream stream_with_choices() {
  Stream stream = packed({sequence(3, 0, {{0, 5, 2}, {1, 6, 0.5f}, {2, 6, 8}}, {}),
                          sequence(2, 1, {{0, 7, 4}, {1, 8, 16}}, {})});
  stream.choice = {{.option = {{1, 2}, {2, 3}}, .answer = 1, .weight = 3}, {.option = {{4, 5}}}};
  return stream;
}

StreamResult result_with_choices() {
  return {.token = {.surprisal = {1, 100, 200, 3, 300}, .predicted = {5, 6, 6, 0, 8}},
          .label = {},
          .choice = {.surprisal = {0.5f, 2}, .predicted = {1, 0}}};
}

TEST(LossSums, TargetsThatAChoiceHasCountInItAlone) {
  LossSums sums(2);
  const Stream stream = stream_with_choices();
  sums.add_weights(stream);
  sums.add_result(stream, result_with_choices());
  EXPECT_DOUBLE_EQ(sums.token().by_part[0].sum, 2);
  EXPECT_DOUBLE_EQ(sums.token().by_part[0].weight, 2);
  EXPECT_DOUBLE_EQ(sums.token().by_part[1].sum, 12);
  EXPECT_DOUBLE_EQ(sums.token().by_part[1].weight, 4);
  EXPECT_EQ(sums.token().count, 2u);
  EXPECT_EQ(sums.token().correct, 1u);
  EXPECT_DOUBLE_EQ(sums.choice().by_part[0].sum, 1.5);
  EXPECT_DOUBLE_EQ(sums.choice().by_part[0].weight, 3);
  EXPECT_DOUBLE_EQ(sums.choice().by_part[1].sum, 2);
  EXPECT_DOUBLE_EQ(sums.choice().by_part[1].weight, 1);
  EXPECT_EQ(sums.choice().count, 2u);
  EXPECT_EQ(sums.choice().correct, 2u);
  const LossWeights lambda{.token = {1, 0.25}, .label = {1, 1}, .choice = {2, 0.5}};
  EXPECT_DOUBLE_EQ(sums.loss(lambda), (2 + 0.25 * 12) / 6 + (2 * 1.5 + 0.5 * 2) / 4);

  SurprisalGradients gradients;
  set_surprisal_gradients(stream, sums, lambda, gradients);
  EXPECT_EQ(gradients.token, (std::vector<float>{2.0f / 6, 0, 0, 1.0f / 6, 0}));
  EXPECT_EQ(gradients.choice, (std::vector<float>{1.5f, 0.125f}));
}

TEST(LossSums, ATermWithoutTargetsCountsNothing) {
  LossSums sums;
  Stream stream = sequence(2, 0, {{1, 5, 1}}, {});
  sums.add_weights(stream);
  sums.add_result(stream, {.token = {{3}, {}}, .label = {}});
  EXPECT_DOUBLE_EQ(sums.loss({}), 3);
  EXPECT_EQ(sums.label().total().mean(), 0);
  EXPECT_EQ(LossSums().loss({}), 0);
}

TEST(LossSums, LambdasOfASpecification) {
  LossWeights weights = loss_weights(Mixture("0.25 mlm + 0.5 nsp | 3 mlm | 1 nsp", {}, tiny_wordpiece(), 16));
  EXPECT_EQ(weights.token, (std::vector<double>{1, 1, 0}));  // the first number of a part is its share
  EXPECT_EQ(weights.label, (std::vector<double>{0.5, 0, 1}));
  weights = loss_weights(Mixture("2 mlm + 0.5 nsp", {}, tiny_wordpiece(), 16));
  EXPECT_EQ(weights.token, std::vector<double>{2});
  EXPECT_EQ(weights.label, std::vector<double>{0.5});
}

}  // namespace
}  // namespace surprisal
