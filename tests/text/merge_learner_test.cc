#include "text/train/merge_learner.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::Pair;

using WordTable = std::vector<std::pair<std::string, std::uint64_t>>;

// Words of the letters a, b, c ..., whose ids are 0, 1, 2 ...
TokenisedWords tokenised(const WordTable& table) {
  TokenisedWords words;
  for (const auto& [word, count] : table) {
    words.add_word(count);
    for (char c : word) words.add_token(static_cast<std::uint32_t>(c - 'a'));
  }
  return words;
}

std::vector<std::string> letters(int count) {
  std::vector<std::string> result;
  for (int i = 0; i < count; ++i) result.emplace_back(1, static_cast<char>('a' + i));
  return result;
}

// The definition: count all pairs anew before every merge.
LearntMerges reference_merges(const WordTable& table, std::vector<std::string> tokens,
                              std::size_t vocabulary_size) {
  std::vector<std::vector<std::uint32_t>> words;
  for (const auto& [word, count] : table) {
    words.emplace_back();
    for (char c : word) words.back().push_back(static_cast<std::uint32_t>(c - 'a'));
  }
  LearntMerges result{std::move(tokens), {}};
  while (result.tokens.size() < vocabulary_size) {
    std::map<TokenPair, std::uint64_t> pairs;
    for (std::size_t w = 0; w < words.size(); ++w) {
      for (std::size_t i = 1; i < words[w].size(); ++i)
        pairs[{words[w][i - 1], words[w][i]}] += table[w].second;
    }
    if (pairs.empty()) break;
    auto best =
        std::max_element(pairs.begin(), pairs.end(), [](auto& a, auto& b) { return a.second < b.second; });
    auto [left, right] = best->first;
    std::string spelling = result.tokens[left] + result.tokens[right];
    auto known = std::find(result.tokens.begin(), result.tokens.end(), spelling);
    auto merged = static_cast<std::uint32_t>(known - result.tokens.begin());
    if (known == result.tokens.end()) result.tokens.push_back(spelling);
    if (std::find(result.merges.begin(), result.merges.end(), best->first) == result.merges.end()) {
      result.merges.push_back(best->first);
    }
    for (auto& word : words) {
      for (std::size_t i = 0; i + 1 < word.size(); ++i) {
        if (word[i] != left || word[i + 1] != right) continue;
        word[i] = merged;
        word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      }
    }
  }
  return result;
}

TEST(MergeLearner, TakesTheCommonestPairAndThenTheSmallerIds) {
  LearntMerges learnt =
      learn_merges(tokenised({{"ab", 5}, {"cd", 5}, {"bc", 4}, {"abc", 1}}), letters(4), 7, "", {});
  EXPECT_THAT(learnt.tokens, ElementsAre("a", "b", "c", "d", "ab", "cd", "bc"));
  EXPECT_THAT(learnt.merges, ElementsAre(Pair(0, 1), Pair(2, 3), Pair(1, 2)));
}

TEST(MergeLearner, StopsWhereNoPairIsLeft) {
  EXPECT_THAT(learn_merges(tokenised({{"abc", 1}, {"a", 9}}), letters(3), 100, "", {}).tokens,
              ElementsAre("a", "b", "c", "ab", "abc"));
  EXPECT_EQ(learn_merges(tokenised({}), letters(3), 100, "", {}).tokens.size(), 3u);
}

TEST(MergeLearner, SpellsContinuations) {
  TokenisedWords words;
  words.add_word(2);
  for (std::uint32_t id : {0u, 1u, 2u}) words.add_token(id);
  words.add_word(1);
  for (std::uint32_t id : {3u, 1u, 2u}) words.add_token(id);
  EXPECT_THAT(learn_merges(words, {"a", "##b", "##c", "x"}, 100, "##", {}).tokens,
              ElementsAre("a", "##b", "##c", "x", "##bc", "abc", "xbc"));
}

TEST(MergeLearner, EqualsTheDefinition) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    int alphabet = 2 + static_cast<int>(random() % 4);
    WordTable table;
    for (int i = 0; i < 30; ++i) {
      std::string word(1 + random() % 12, 'a');
      for (char& c : word) c = static_cast<char>('a' + random() % static_cast<unsigned>(alphabet));
      table.emplace_back(word, 1 + random() % 9);
    }
    std::size_t size = 10 + random() % 60;
    LearntMerges learnt = learn_merges(tokenised(table), letters(alphabet), size, "", {});
    LearntMerges expected = reference_merges(table, letters(alphabet), size);
    EXPECT_EQ(learnt.tokens, expected.tokens) << seed;
    EXPECT_EQ(learnt.merges, expected.merges) << seed;
  }
}

}  // namespace
}  // namespace surprisal
