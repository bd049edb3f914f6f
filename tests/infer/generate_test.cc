#include "infer/generate.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

constexpr std::int64_t kPositions = 24;

class Generate : public testing::Test {
 protected:
  std::vector<std::int32_t> draw(GenerateOptions options) { return generate(*model_, tiny_bpe(), options); }

  const std::int32_t begin_ = *tiny_bpe().special().bos;
  std::unique_ptr<Transformer> model_ =
      tiny_model(tiny_config("gpt2", tiny_bpe().vocabulary_size(), kPositions), Mode::evaluate, kPositions);
};

TEST_F(Generate, FollowsTheSeed) {
  std::vector<std::int32_t> ids = draw({.max_tokens = 12, .seed = 3});
  EXPECT_EQ(ids, draw({.max_tokens = 12, .seed = 3}));
  EXPECT_NE(ids, draw({.max_tokens = 12, .seed = 4}));
  EXPECT_NE(ids, draw({.max_tokens = 12, .seed = 3, .sample = 1}));
}

TEST_F(Generate, DrawsNoSpecialTokenAndStopsWhereItMust) {
  for (std::uint64_t sample = 0; sample < 20; ++sample) {
    std::vector<std::int32_t> ids = draw({.max_tokens = 100, .temperature = 3, .top_k = 0, .sample = sample});
    EXPECT_LT(std::ssize(ids), kPositions);
    for (std::int32_t id : ids) EXPECT_FALSE(tiny_bpe().is_special(id));
    EXPECT_LE(draw({.max_tokens = 3, .sample = sample}).size(), 3u);
  }
  EXPECT_TRUE(draw({.max_tokens = 0}).empty());
}

TEST_F(Generate, AReverseModelsTextIsTurnedRound) {
  std::vector<std::int32_t> ids = draw({.max_tokens = 12, .seed = 3});
  ASSERT_GT(ids.size(), 1u);
  std::reverse(ids.begin(), ids.end());
  EXPECT_EQ(draw({.max_tokens = 12, .seed = 3, .right_to_left = true}), ids);
}

// Log-probabilities of what follows `ids` in a stream made by hand.
std::vector<float> logits_after(Transformer& model, const std::vector<std::int32_t>& ids) {
  Stream stream;
  std::int32_t size = static_cast<std::int32_t>(ids.size());
  stream.token = ids;
  for (std::int32_t row = 0; row < size; ++row) {
    stream.position.push_back(row);
    stream.visible.push_back({0, row + 1});
  }
  stream.segment.assign(ids.size(), 0);
  stream.block_position.assign(ids.size(), 0);
  stream.sequence = {{.begin = 0, .end = size}};
  StreamResult result;
  model.evaluate(stream, result);
  std::vector<float> logits(static_cast<std::size_t>(model.config().vocab_size));
  model.logits(size - 1, logits);
  return logits;
}

TEST_F(Generate, WithoutTemperatureTakesTheMostProbable) {
  std::vector<std::int32_t> expected{begin_};
  while (expected.size() < 9) {
    std::vector<float> logits = logits_after(*model_, expected);
    auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    if (best == *tiny_bpe().special().eos) break;
    expected.push_back(static_cast<std::int32_t>(best));
  }
  expected.erase(expected.begin());
  ASSERT_GT(expected.size(), 0u);
  EXPECT_EQ(draw({.max_tokens = 8, .temperature = 0}), expected);
  EXPECT_EQ(draw({.max_tokens = 8, .temperature = 0, .seed = 9}), expected);
  EXPECT_EQ(draw({.max_tokens = 8, .temperature = 1, .top_k = 1}), expected);
}

TEST_F(Generate, DrawsAmongTheTopKAlone) {
  std::vector<float> logits = logits_after(*model_, {begin_});
  std::vector<std::int32_t> order;
  for (std::int32_t id = 0; id < std::ssize(logits); ++id) order.push_back(id);
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  order.resize(3);
  std::vector<std::int32_t> seen;
  for (std::uint64_t sample = 0; sample < 60; ++sample) {
    std::vector<std::int32_t> ids = draw({.max_tokens = 1, .temperature = 5, .top_k = 3, .sample = sample});
    if (!ids.empty()) seen.push_back(ids.front());
  }
  EXPECT_THAT(seen, testing::Each(testing::AnyOfArray(order)));
  for (std::int32_t id : order) {
    if (tiny_bpe().is_special(id)) continue;
    EXPECT_THAT(seen, testing::Contains(id));
  }
}

// A model may have more embeddings than its tokenizer has tokens (padded to a round number).
TEST_F(Generate, NeverDrawsAnIdThatTheTokenizerDoesNotHave) {
  std::unique_ptr<Transformer> padded = tiny_model(
      tiny_config("gpt2", 3 * tiny_bpe().vocabulary_size(), kPositions), Mode::evaluate, kPositions);
  for (std::uint64_t sample = 0; sample < 5; ++sample) {
    GenerateOptions options{.max_tokens = 20, .temperature = 5, .top_k = 0, .sample = sample};
    for (std::int32_t id : generate(*padded, tiny_bpe(), options)) {
      EXPECT_LT(id, tiny_bpe().vocabulary_size());
    }
  }
}

}  // namespace
}  // namespace surprisal
