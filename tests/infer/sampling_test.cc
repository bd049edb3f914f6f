#include "infer/sampling.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surprisal/error.h"

#include "core/json.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

constexpr int kDraws = 20000;

std::vector<std::int32_t> all_ids(std::size_t count) {
  std::vector<std::int32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

std::vector<int> counts(const SamplingOptions& options, const std::vector<float>& logits,
                        const std::vector<std::int32_t>& drawable) {
  TokenSampler sampler(options, drawable, 5);
  std::vector<int> counts(logits.size());
  for (int draw = 0; draw < kDraws; ++draw) ++counts[static_cast<std::size_t>(sampler.draw(logits).id)];
  return counts;
}

// Within 5 standard deviations of each count; what has no probability is never drawn.
void expect_distribution(const std::vector<int>& counts, const std::vector<double>& probability) {
  for (std::size_t id = 0; id < counts.size(); ++id) {
    const double p = probability[id], expected = p * kDraws;
    EXPECT_LE(std::abs(counts[id] - expected), 5 * std::sqrt(expected * (1 - p))) << "id " << id;
  }
}

// p = 0.4, 0.1, 0.3, 0.2, in an order that is not theirs.
const std::vector<float> kLogits = {std::log(0.4f), std::log(0.1f), std::log(0.3f), std::log(0.2f)};

TEST(TokenSampler, DrawsByTheModelsDistribution) {
  expect_distribution(counts({.temperature = 1, .top_k = 0}, kLogits, all_ids(4)), {0.4, 0.1, 0.3, 0.2});
  // p^2, normalised
  expect_distribution(counts({.temperature = 0.5, .top_k = 0}, kLogits, all_ids(4)),
                      {16 / 30., 1 / 30., 9 / 30., 4 / 30.});
}

TEST(TokenSampler, KeepsTheTopK) {
  expect_distribution(counts({.temperature = 1, .top_k = 2}, kLogits, all_ids(4)), {4 / 7., 0, 3 / 7., 0});
  expect_distribution(counts({.temperature = 1, .top_k = 9}, kLogits, all_ids(4)), {0.4, 0.1, 0.3, 0.2});
}

// The fewest that have the probability: the one that passes it stays.
TEST(TokenSampler, KeepsTheTopP) {
  expect_distribution(counts({.temperature = 1, .top_k = 0, .top_p = 0.69}, kLogits, all_ids(4)),
                      {4 / 7., 0, 3 / 7., 0});
  expect_distribution(counts({.temperature = 1, .top_k = 0, .top_p = 0.71}, kLogits, all_ids(4)),
                      {4 / 9., 0, 3 / 9., 2 / 9.});
  // of what top_k left: 0.4 / 0.7 is enough
  expect_distribution(counts({.temperature = 1, .top_k = 2, .top_p = 0.5}, kLogits, all_ids(4)),
                      {1, 0, 0, 0});
}

// More candidates than are sorted at first.
TEST(TokenSampler, TopPOfManyEquals) {
  const std::vector<float> logits(1000, 2.5f);
  const std::vector<int> drawn =
      counts({.temperature = 1, .top_k = 0, .top_p = 0.1005}, logits, all_ids(1000));
  for (std::size_t id = 0; id < 1000; ++id) EXPECT_EQ(drawn[id] > 0, id < 101) << id;
}

TEST(TokenSampler, WithoutTemperatureTheFirstOfTheMostProbable) {
  const std::vector<float> logits = {1, 3, 3, 2};
  EXPECT_EQ(counts({.temperature = 0}, logits, all_ids(4)), (std::vector<int>{0, kDraws, 0, 0}));
}

TEST(TokenSampler, DrawsAmongTheDrawableAndTellsTheWholeSurprisal) {
  expect_distribution(counts({.temperature = 1, .top_k = 0}, kLogits, {1, 3}), {0, 1 / 3., 0, 2 / 3.});
  const std::vector<std::int32_t> only{3};
  TokenSampler sampler({.temperature = 1}, only, 0);
  const DrawnToken drawn = sampler.draw(kLogits);
  EXPECT_EQ(drawn.id, 3);
  EXPECT_NEAR(drawn.nats, -std::log(0.2), 1e-6);
}

TEST(TokenSampler, RefusesLogitsThatAreNotFinite) {
  const std::vector<std::int32_t> ids = all_ids(2);
  TokenSampler sampler({}, ids, 0);
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    try {
      sampler.draw(std::vector<float>{1, bad});
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::diverged);
    }
  }
}

TEST(DrawableTokens, AreTextAndEnds) {
  const Tokenizer& tokenizer = tiny_wordpiece();
  const std::int32_t end = *tokenizer.special().sep;
  const std::vector<std::int32_t> ids =
      drawable_tokens(tokenizer, tokenizer.vocabulary_size() + 10, std::array{end});
  EXPECT_THAT(ids, testing::Contains(end));
  EXPECT_THAT(ids, testing::Not(testing::Contains(*tokenizer.special().mask)));
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(tokenizer.vocabulary_size()) - 4);
}

// Some files name a token's role and do not mark it as special.
TEST(DrawableTokens, HaveNoRole) {
  Json json = parse_json(tiny_wordpiece().tokenizer_json(), "test");
  for (Json& token : json["added_tokens"]) token["special"] = false;
  const Tokenizer unmarked =
      Tokenizer::from_json(json.dump(), tiny_wordpiece().tokenizer_config_json(), "test");
  EXPECT_EQ(drawable_tokens(unmarked, 1000, {}), drawable_tokens(tiny_wordpiece(), 1000, {}));
}

TEST(SamplingOptions, AreChecked) {
  for (const SamplingOptions& options : {SamplingOptions{.temperature = -1},
                                         {.temperature = NAN},
                                         {.top_k = -1},
                                         {.top_p = 0},
                                         {.top_p = 1.5},
                                         {.top_p = NAN}}) {
    EXPECT_THROW(check(options), Error);
  }
  EXPECT_NO_THROW(check(SamplingOptions{}));
}

}  // namespace
}  // namespace surprisal
