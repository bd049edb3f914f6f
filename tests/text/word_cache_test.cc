#include "text/tokenizer/word_cache.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"

namespace surprisal {
namespace {

// Tokens that depend on every byte of the word, and a count of the questions.
class CountingModel final : public TokenModel {
 public:
  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override {
    ++asked;
    std::int32_t id = 0;
    for (std::uint32_t i = 0; i < word.size(); ++i) {
      id = static_cast<std::int32_t>(
          (static_cast<std::uint32_t>(id) * 131 + static_cast<unsigned char>(word[i])) & 0x7FFFFFFF);
      if (i % 4 == 3 || i + 1 == word.size()) tokens.push_back({id, i});
    }
  }
  const Vocabulary& vocabulary() const override { throw std::logic_error("nobody asks"); }

  mutable int asked = 0;
};

std::vector<std::pair<std::int32_t, std::uint32_t>> plain(std::span<const WordToken> tokens) {
  std::vector<std::pair<std::int32_t, std::uint32_t>> result;
  for (WordToken token : tokens) result.emplace_back(token.id, token.begin);
  return result;
}

TEST(WordCache, GivesWhatTheModelGives) {
  CountingModel model, direct;
  WordCache cache;
  Random random({.seed = 3});
  for (int round = 0; round < 200000; ++round) {
    // Far more words than there is room for, of every length around the limits, many of which differ in one
    // byte.
    std::string word(1 + random.below(30), 'a');
    for (int change = 0; change < 3; ++change) {
      word[random.below(static_cast<std::uint32_t>(word.size()))] = static_cast<char>(random.below(256));
    }
    std::vector<WordToken> expected;
    direct.tokenize(word, expected);
    ASSERT_EQ(plain(cache.tokens(word, false, model)), plain(expected)) << word;
  }
}

TEST(WordCache, AsksOnceForAWordThatComesAgain) {
  CountingModel model;
  WordCache cache;
  for (int round = 0; round < 10; ++round) {
    for (int word = 0; word < 100; ++word) cache.tokens("word" + std::to_string(word), false, model);
  }
  // A third word of one place is rare, but may be.
  EXPECT_GE(model.asked, 100);
  EXPECT_LT(model.asked, 150);
  // What is longer, or has more tokens, is asked for every time.
  model.asked = 0;
  for (int round = 0; round < 3; ++round) {
    cache.tokens("a word of twenty-three.", false, model);
    cache.tokens("of twenty-two letters.", false, model);
  }
  EXPECT_EQ(model.asked, 6);
}

}  // namespace
}  // namespace surprisal
