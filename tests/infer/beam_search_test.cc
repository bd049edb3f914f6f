#include "infer/beam_search.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer/generate.h"
#include "infer/repeated_ngrams.h"
#include "infer/sampling.h"
#include "tests/infer/evaluated_logits.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;
constexpr std::int64_t kPositions = 24;

class BeamSearch : public testing::Test {
 protected:
  std::vector<GeneratedTokens> search(const GenerateOptions& options) {
    return search_beams(*model_, tiny_bpe(), context_, options);
  }
  double nats(const GeneratedTokens& text) {
    Ids ids = context_, tokens = text.ids;
    if (text.stop == Stop::end) tokens.push_back(*tiny_bpe().special().eos);
    double sum = 0;
    for (std::int32_t token : tokens) {
      sum += surprisal_of(evaluated_logits(*model_, ids), token);
      ids.push_back(token);
    }
    return sum;
  }
  double score(const GeneratedTokens& text, double penalty) {
    const std::size_t tokens = text.ids.size() + (text.stop == Stop::end);
    return -text.nats / std::pow(static_cast<double>(tokens), penalty);
  }

  const Ids context_{*tiny_bpe().special().bos, 7, 12};
  std::unique_ptr<Transformer> model_ =
      tiny_model(tiny_config("gpt2", tiny_bpe().vocabulary_size(), kPositions), Mode::evaluate, 400);
};

TEST_F(BeamSearch, OneBeamWideEnoughForAllIsTheMostProbableText) {
  // Every text of two tokens: a token and then any, or an end at once.
  const GeneratedTokens found = search({.max_tokens = 2, .beams = 256, .length_penalty = 0}).front();
  const Ids ends = end_tokens(tiny_bpe());
  double best = 1e9;
  for (std::int32_t first : drawable_tokens(tiny_bpe(), model_->config().vocab_size, ends)) {
    Ids ids = context_;
    const double one = surprisal_of(evaluated_logits(*model_, ids), first);
    if (std::ranges::find(ends, first) != ends.end()) {
      best = std::min(best, one);
      continue;
    }
    ids.push_back(first);
    const std::vector<float> logits = evaluated_logits(*model_, ids);
    for (std::int32_t second : drawable_tokens(tiny_bpe(), model_->config().vocab_size, ends))
      best = std::min(best, one + surprisal_of(logits, second));
  }
  EXPECT_NEAR(found.nats, best, 1e-4);
}

TEST_F(BeamSearch, TellsTheBestFirstWithTheirOwnSurprisal) {
  for (double penalty : {0.0, 1.0, 2.0}) {
    const std::vector<GeneratedTokens> texts =
        search({.max_tokens = 8, .samples = 5, .beams = 5, .length_penalty = penalty});
    ASSERT_EQ(texts.size(), 5u);
    for (std::size_t rank = 0; rank < texts.size(); ++rank) {
      EXPECT_NEAR(texts[rank].nats, nats(texts[rank]), 1e-4);
      if (rank == 0) continue;
      EXPECT_LE(score(texts[rank], penalty), score(texts[rank - 1], penalty));
    }
  }
}

TEST_F(BeamSearch, IsNoWorseThanGreedy) {
  const GenerateOptions greedy{.sampling = {.temperature = 0}, .max_tokens = 10};
  const GeneratedTokens alone = continue_tokens(*model_, tiny_bpe(), context_, greedy).front();
  const GeneratedTokens found = search({.max_tokens = 10, .beams = 8, .length_penalty = 0}).front();
  EXPECT_LE(found.nats, alone.nats + 1e-6);
}

TEST_F(BeamSearch, EndsWithThePositions) {
  const GeneratedTokens found = search({.max_tokens = 1000, .beams = 3, .length_penalty = 9}).front();
  EXPECT_LE(std::ssize(found.ids), kPositions - std::ssize(context_) + 1);
}

TEST_F(BeamSearch, SaysNoSequenceOfTokensTwice) {
  for (std::int64_t length : {1, 2, 3}) {
    for (const GeneratedTokens& text : search(
             {.max_tokens = 20, .samples = 4, .no_repeat_ngram = length, .beams = 4, .length_penalty = 9})) {
      Ids all = context_;
      all.insert(all.end(), text.ids.begin(), text.ids.end());
      for (std::ptrdiff_t end = length; end <= std::ssize(all); ++end) {
        const auto found = std::search(all.begin(), all.end(), all.begin() + end - length, all.begin() + end);
        EXPECT_EQ(found - all.begin(), end - length) << "repeated";
      }
    }
  }
}

TEST(RepeatingTokens, AreThoseThatFollowedTheSameTokens) {
  const Ids text{1, 2, 3, 1, 2, 4, 1, 2};
  EXPECT_EQ(repeating_tokens(text, 3), (Ids{3, 4}));
  EXPECT_EQ(repeating_tokens(text, 2), (Ids{3, 4}));
  EXPECT_EQ(repeating_tokens(text, 1), text);
  EXPECT_TRUE(repeating_tokens(text, 0).empty());
  EXPECT_TRUE(repeating_tokens(text, 4).empty());
  EXPECT_TRUE(repeating_tokens({}, 2).empty());
}

}  // namespace
}  // namespace surprisal
