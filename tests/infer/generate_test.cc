#include "infer/generate.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer/beam_search.h"
#include "tests/infer/evaluated_logits.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

constexpr std::int64_t kPositions = 24, kSamples = 40;  // more than share a product

using Ids = std::vector<std::int32_t>;

class Generate : public testing::Test {
 protected:
  std::vector<GeneratedTokens> draw(const GenerateOptions& options) {
    return continue_tokens(*model_, tiny_bpe(), context_, options);
  }
  Ids draw_one(const GenerateOptions& options) { return draw(options).front().ids; }

  Ids context_{*tiny_bpe().special().bos};
  std::unique_ptr<Transformer> model_ =
      tiny_model(tiny_config("gpt2", tiny_bpe().vocabulary_size(), kPositions), Mode::evaluate, kSamples);
};

TEST_F(Generate, FollowsTheSeed) {
  const Ids ids = draw_one({.sampling = {.seed = 3}, .max_tokens = 12});
  EXPECT_EQ(ids, draw_one({.sampling = {.seed = 3}, .max_tokens = 12}));
  EXPECT_NE(ids, draw_one({.sampling = {.seed = 4}, .max_tokens = 12}));
}

// Each sample has numbers of its own, and the weights' products do not depend on how many rows share them.
TEST_F(Generate, ASampleIsTheSameAloneAndAmongOthers) {
  const std::vector<GeneratedTokens> few = draw({.max_tokens = 12, .samples = 2}),
                                     many = draw({.max_tokens = 12, .samples = kSamples});
  EXPECT_EQ(draw_one({.max_tokens = 12}), many[0].ids);
  for (std::size_t sample = 0; sample < few.size(); ++sample) {
    EXPECT_EQ(few[sample].ids, many[sample].ids);
    EXPECT_EQ(few[sample].nats, many[sample].nats);
  }
  EXPECT_NE(many[0].ids, many[1].ids);
}

TEST_F(Generate, DrawsNoSpecialTokenAndStopsWhereItMust) {
  std::size_t ended = 0, full = 0;
  for (const GeneratedTokens& text :
       draw({.sampling = {.temperature = 3, .top_k = 0}, .max_tokens = 100, .samples = kSamples})) {
    for (std::int32_t id : text.ids) EXPECT_FALSE(tiny_bpe().is_special(id));
    EXPECT_NE(text.stop, Stop::max_tokens);
    EXPECT_EQ(text.stop == Stop::positions, std::ssize(text.ids) == kPositions) << text.ids.size();
    ++(text.stop == Stop::end ? ended : full);
  }
  EXPECT_GT(full, 0u);
  for (const GeneratedTokens& text : draw({.max_tokens = 3, .samples = kSamples})) {
    EXPECT_EQ(text.stop == Stop::max_tokens, text.ids.size() == 3);
  }
}

TEST_F(Generate, WithoutTemperatureTakesTheMostProbable) {
  Ids expected = context_;
  while (expected.size() < 9) {
    const std::vector<float> logits = evaluated_logits(*model_, expected);
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    if (best == *tiny_bpe().special().eos) break;
    expected.push_back(static_cast<std::int32_t>(best));
  }
  expected.erase(expected.begin());
  ASSERT_GT(expected.size(), 0u);
  EXPECT_EQ(draw_one({.sampling = {.temperature = 0}, .max_tokens = 8}), expected);
  EXPECT_EQ(draw_one({.sampling = {.temperature = 0, .seed = 9}, .max_tokens = 8}), expected);
  EXPECT_EQ(draw_one({.sampling = {.temperature = 1, .top_k = 1}, .max_tokens = 8}), expected);
  EXPECT_EQ(draw_one({.sampling = {.temperature = 1, .top_k = 0, .top_p = 1e-6}, .max_tokens = 8}), expected);
}

// The surprisal of a continuation is that of its tokens one by one, the end too.
TEST_F(Generate, SumsTheSurprisalOfWhatItDrew) {
  context_ = {*tiny_bpe().special().bos, 7, 12, 9};
  std::size_t ends = 0;
  for (const GeneratedTokens& text :
       draw({.sampling = {.temperature = 2, .top_k = 0}, .samples = kSamples})) {
    Ids ids = context_, tokens = text.ids;
    if (text.stop == Stop::end) tokens.push_back(*tiny_bpe().special().eos);
    ends += text.stop == Stop::end;
    double nats = 0;
    for (std::int32_t token : tokens) {
      nats += surprisal_of(evaluated_logits(*model_, ids), token);
      ids.push_back(token);
    }
    EXPECT_NEAR(text.nats, nats, 1e-4);
  }
  EXPECT_GT(ends, 0u);
}

// As it is trained: rows of the prompt see one another, the last one too, and what is written sees all before
// it.
TEST_F(Generate, PromptsOfPrefixModelsSeeThemselves) {
  context_ = {*tiny_bpe().special().bos, 7, 12, 9};
  const auto prefix = static_cast<std::int32_t>(context_.size());
  for (std::int64_t beams : {1, 3}) {
    GenerateOptions options{
        .sampling = {.temperature = 2, .top_k = 0}, .max_tokens = 8, .samples = 3, .prefix_lm = true};
    options.beams = beams;
    const std::vector<GeneratedTokens> texts =
        beams == 1 ? draw(options) : search_beams(*model_, tiny_bpe(), context_, options);
    double apart = 0;
    for (const GeneratedTokens& text : texts) {
      Ids ids = context_, tokens = text.ids;
      if (text.stop == Stop::end) tokens.push_back(*tiny_bpe().special().eos);
      double nats = 0, causal = 0;
      for (std::int32_t token : tokens) {
        nats += surprisal_of(evaluated_logits(*model_, ids, prefix), token);
        causal += surprisal_of(evaluated_logits(*model_, ids), token);
        ids.push_back(token);
      }
      EXPECT_NEAR(text.nats, nats, 1e-4);
      apart += std::abs(nats - causal);
    }
    EXPECT_GT(apart, 1e-2);
  }
}

// Tokens at which a text ends besides are drawn, and are no part of it.
TEST_F(Generate, EndsWhereItIsToldTo) {
  const Ids free = draw_one({.sampling = {.temperature = 0}, .max_tokens = 8});
  ASSERT_GT(free.size(), 2u);
  const std::vector<GeneratedTokens> ended =
      draw({.sampling = {.temperature = 0}, .max_tokens = 8, .ends = {free[1]}});
  EXPECT_EQ(ended[0].stop, Stop::end);
  EXPECT_EQ(ended[0].ids, Ids(free.begin(), std::find(free.begin(), free.end(), free[1])));
}

TEST_F(Generate, TellsTheTextAfterEachToken) {
  std::vector<Ids> told;
  const std::vector<GeneratedTokens> text =
      continue_tokens(*model_, tiny_bpe(), context_, {.max_tokens = 5},
                      [&](std::span<const std::int32_t> ids) { told.emplace_back(ids.begin(), ids.end()); });
  ASSERT_EQ(told.size(), text.front().ids.size());
  EXPECT_EQ(told.back(), text.front().ids);
}

// A model may have more embeddings than its tokenizer has tokens (padded to a round number).
TEST_F(Generate, NeverDrawsAnIdThatTheTokenizerDoesNotHave) {
  const std::unique_ptr<Transformer> padded = tiny_model(
      tiny_config("gpt2", 3 * tiny_bpe().vocabulary_size(), kPositions), Mode::evaluate, kPositions);
  const GenerateOptions options{.sampling = {.temperature = 5, .top_k = 0}, .samples = 5};
  for (const GeneratedTokens& text : continue_tokens(*padded, tiny_bpe(), context_, options)) {
    for (std::int32_t id : text.ids) EXPECT_LT(id, tiny_bpe().vocabulary_size());
  }
}

}  // namespace
}  // namespace surprisal
