#include "text/tokenizer/bpe.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "text/tokenizer/byte_level.h"

namespace surprisal {
namespace {

using Merges = std::vector<std::pair<std::string, std::string>>;

Json model_json(const std::string& characters, const Merges& merges) {
  Json model = {{"type", "BPE"}, {"merges", Json::array()}};
  for (char c : characters) model["vocab"][std::string(1, c)] = model["vocab"].size();
  for (const auto& [left, right] : merges) {
    model["merges"].push_back(left + " " + right);
    if (!model["vocab"].contains(left + right)) model["vocab"][left + right] = model["vocab"].size();
  }
  return model;
}

std::vector<std::string> spellings(const Bpe& bpe, const std::string& word) {
  std::vector<WordToken> tokens;
  bpe.tokenize(word, tokens);
  std::vector<std::string> result;
  for (WordToken token : tokens) {
    EXPECT_EQ(word.substr(token.begin, bpe.vocabulary().spelling(token.id).size()),
              bpe.vocabulary().spelling(token.id));
    result.emplace_back(bpe.vocabulary().spelling(token.id));
  }
  return result;
}

// The definition: join the leftmost pair of the lowest rank, one at a time.
std::vector<std::string> reference(const std::string& word, const Merges& merges) {
  std::map<std::pair<std::string, std::string>, std::size_t> rank;
  for (std::size_t i = 0; i < merges.size(); ++i) rank[merges[i]] = i;
  std::vector<std::string> pieces;
  for (char c : word) pieces.emplace_back(1, c);
  for (;;) {
    std::size_t best = merges.size(), at = 0;
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      auto found = rank.find({pieces[i], pieces[i + 1]});
      if (found != rank.end() && found->second < best) {
        best = found->second;
        at = i;
      }
    }
    if (best == merges.size()) return pieces;
    pieces[at] += pieces[at + 1];
    pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

Merges random_merges(Random& random, const std::string& characters, std::size_t count) {
  std::vector<std::string> tokens;
  for (char c : characters) tokens.emplace_back(1, c);
  Merges merges;
  while (merges.size() < count) {
    auto pick = [&] { return tokens[random.below(static_cast<std::uint32_t>(tokens.size()))]; };
    std::pair<std::string, std::string> merge(pick(), pick());
    if (merge.first.size() + merge.second.size() > 12) continue;
    tokens.push_back(merge.first + merge.second);
    merges.push_back(std::move(merge));
  }
  return merges;
}

TEST(Bpe, IsItsDefinitionForWordsOfEveryLength) {
  Random random({.seed = 5});
  for (int round = 0; round < 30; ++round) {
    std::string characters = std::string("abcd").substr(0, 1 + random.below(4));
    Merges merges = random_merges(random, characters, 1 + random.below(40));
    Bpe bpe(model_json(characters, merges), "test");
    // Both ways of merging: the scan for short words, the heap beyond 192 characters.
    for (std::size_t size = 1; size < 240; size += size < 70 || size > 180 ? 1 : 7) {
      std::string word;
      while (word.size() < size)
        word += characters[random.below(static_cast<std::uint32_t>(characters.size()))];
      ASSERT_EQ(spellings(bpe, word), reference(word, merges)) << word;
    }
  }
}

// A few bytes, some of which stand for themselves.
char some_byte(Random& random) {
  return static_cast<char>(random.below(16) * 17);
}

// Every byte's character, and merges of those of some_byte() at random.
Json byte_level_json(Random& random) {
  Json json = {{"type", "BPE"}, {"merges", Json::array()}};
  std::vector<std::string> tokens;
  auto add = [&](const std::string& token) {
    if (json["vocab"].contains(token)) return;
    json["vocab"][token] = json["vocab"].size();
    tokens.push_back(token);
  };
  for (unsigned byte = 0; byte < 256; byte += 17)
    add(byte_level_spelling(std::string(1, static_cast<char>(byte))));
  std::size_t some = tokens.size();
  for (unsigned byte = 0; byte < 256; ++byte)
    add(byte_level_spelling(std::string(1, static_cast<char>(byte))));
  tokens.resize(some);
  for (int merge = 0; merge < 300; ++merge) {
    auto pick = [&] { return tokens[random.below(static_cast<std::uint32_t>(tokens.size()))]; };
    std::string left = pick(), right = pick();
    json["merges"].push_back({left, right});
    add(left + right);
  }
  return json;
}

TEST(Bpe, GivesBytesTheTokensOfTheirCharacters) {
  Random random({.seed = 9});
  Json json = byte_level_json(random);
  std::size_t merged = 0;
  for (bool ignore_merges : {false, true}) {
    json["ignore_merges"] = ignore_merges;
    Bpe bpe(json, "test");
    for (int round = 0; round < 2000; ++round) {
      std::string word;
      for (std::uint32_t count = 1 + random.below(30); count > 0; --count) {
        word += some_byte(random);
      }
      std::vector<WordToken> bytes, characters;
      bpe.tokenize_bytes(word, bytes);
      bpe.TokenModel::tokenize_bytes(word, characters);
      ASSERT_EQ(bytes.size(), characters.size());
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        ASSERT_EQ(bytes[i].id, characters[i].id);
        ASSERT_EQ(bytes[i].begin, characters[i].begin);
      }
      merged += word.size() - bytes.size();
    }
  }
  EXPECT_GT(merged, 1000u);
}

TEST(Bpe, TheLastRankOfAPairCounts) {
  Merges merges = {{"a", "b"}, {"b", "c"}, {"a", "b"}};
  EXPECT_THAT(spellings(Bpe(model_json("abc", merges), "test"), "abc"), testing::ElementsAre("a", "bc"));
}

TEST(Bpe, SkipsTheVersionLineOfMergesTxt) {
  Json json = model_json("ab", {{"a", "b"}});
  json["merges"].insert(json["merges"].begin(), "#version: 0.2");
  EXPECT_THAT(spellings(Bpe(json, "test"), "ab"), testing::ElementsAre("ab"));
}

TEST(Bpe, TakesAWordOfTheVocabularyWholeIfMergesAreIgnored) {
  Json json = model_json("abc", {{"a", "b"}});
  json["vocab"]["abc"] = 10;
  EXPECT_THAT(spellings(Bpe(json, "test"), "abc"), testing::ElementsAre("ab", "c"));
  json["ignore_merges"] = true;
  EXPECT_THAT(spellings(Bpe(json, "test"), "abc"), testing::ElementsAre("abc"));
  EXPECT_THAT(spellings(Bpe(json, "test"), "abca"), testing::ElementsAre("ab", "c", "a"));
}

std::vector<std::pair<std::int32_t, std::uint32_t>> tokens_of(const Json& json, const std::string& word) {
  std::vector<WordToken> tokens;
  Bpe(json, "test").tokenize(word, tokens);
  std::vector<std::pair<std::int32_t, std::uint32_t>> result;
  for (WordToken token : tokens) result.emplace_back(token.id, token.begin);
  return result;
}

TEST(Bpe, UnknownCharacters) {
  using testing::ElementsAre;
  using testing::Pair;
  Json json = model_json("abc", {{"a", "b"}});
  EXPECT_THAT(tokens_of(json, "xyab\u00e9z"), ElementsAre(Pair(3, 2)));
  json["unk_token"] = "c";
  EXPECT_THAT(tokens_of(json, "xyab\u00e9z"),
              ElementsAre(Pair(2, 0), Pair(2, 1), Pair(3, 2), Pair(2, 4), Pair(2, 6)));
  json["fuse_unk"] = true;
  EXPECT_THAT(tokens_of(json, "xyab\u00e9z"), ElementsAre(Pair(2, 0), Pair(3, 2), Pair(2, 4)));
}

}  // namespace
}  // namespace surprisal
