#include "text/tokenizer/unigram.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/core/error_matchers.h"
#include "tests/text/tokenizer_json.h"
#include "text/tokenizer/base64.h"
#include "text/tokenizer/charsmap.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json model_json(std::initializer_list<std::pair<const char*, double>> vocabulary) {
  Json list = Json::array();
  for (auto [piece, score] : vocabulary) list.push_back(Json::array({piece, score}));
  return {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", list}};
}

std::vector<std::int32_t> tokenize(const Json& model, std::string_view word) {
  std::vector<WordToken> tokens;
  Unigram(model, "test").tokenize(word, tokens);
  std::vector<std::int32_t> ids;
  for (WordToken token : tokens) ids.push_back(token.id);
  return ids;
}

TEST(Unigram, TakesTheMostProbableCut) {
  Json model =
      model_json({{"<unk>", 0}, {"a", -1}, {"b", -1}, {"c", -1}, {"ab", -1.5}, {"bc", -1.25}, {"abc", -2.5}});
  EXPECT_THAT(tokenize(model, "ab"), ElementsAre(4));
  EXPECT_THAT(tokenize(model, "abc"), ElementsAre(1, 5));  // -2.25
  model["vocab"][6][1] = -2.2;
  EXPECT_THAT(tokenize(model, "abc"), ElementsAre(6));
  // Equal sums: the last token that begins first.
  EXPECT_THAT(tokenize(model_json({{"?", 0}, {"a", -1}, {"aa", -1}}), "aaa"), ElementsAre(1, 2));
}

TEST(Unigram, FusesUnknownCharacters) {
  Json model = model_json({{"<unk>", 0}, {"a", -1}, {"xy", -90}});
  EXPECT_THAT(tokenize(model, "azéa"), ElementsAre(1, 0, 1));
  // Together they are spelt as a token that lost against them: Hugging Face gives that token.
  model["vocab"].push_back(Json::array({"zz", -30}));
  EXPECT_THAT(tokenize(model, "zz"), ElementsAre(3));
}

TEST(Unigram, FallsBackToBytesOnlyWhereAllAreThere) {
  Json model = model_json({{"<unk>", 0}, {"a", -1}, {"<0xC3>", -2}, {"<0xA9>", -2}});
  EXPECT_THAT(tokenize(model, "aé"), ElementsAre(1, 0));
  model["byte_fallback"] = true;
  EXPECT_THAT(tokenize(model, "aé"), ElementsAre(1, 2, 3));
  EXPECT_THAT(tokenize(model, "aéz"), ElementsAre(1, 0));  // z has no byte, and é is fused with it
}

TEST(Unigram, BadFiles) {
  auto refuse = [](const Json& model, const std::string& message) {
    EXPECT_ERROR(Unigram(model, "test"), data, message);
  };
  Json model = model_json({{"<unk>", 0}, {"a", -1}, {"a", -2}});
  refuse(model, "test, vocab: token \"a\" is there twice: found ids 1 and 2");
  model["vocab"] = Json::array({Json::array({"a", "b"})});
  refuse(model, "test, vocab: malformed token: found [\"a\",\"b\"], expected [spelling, score]");
  model["vocab"] = 1;
  refuse(model, "test: the vocabulary is no array");
  model = model_json({{"a", -1}});
  model["unk_id"] = 1;
  refuse(model, "test: unk_id is outside the vocabulary: found 1, expected below 1");
  model.erase("unk_id");
  EXPECT_THAT(tokenize(model, "aa"), ElementsAre(0, 0));
  EXPECT_ERROR(tokenize(model, "ab"), data,
               "the vocabulary has no token for \"b\" and the model has no unk_id");
}

TEST(Base64, GoesThereAndBack) {
  const char* texts[][2] = {
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xFB\xEF\xFF", "++//"}};
  for (auto [bytes, text] : texts) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
  for (const char* text : {"Z", "Zg=", "Z===", "Zg==Zg==", "Zm9\n", "Zm9*", "===="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

// A double array of 512 units whose root has its children at 256, with "a" at 256 ^ 'a'.
struct Table {
  static constexpr std::uint32_t kRoot = 256, kA = kRoot ^ 'a';
  std::vector<std::uint32_t> units = std::vector<std::uint32_t>(512);
  std::string text{"x\0yz\0", 5};

  Table() { units[0] = kRoot << 10; }
  // A node for `byte` below `base` with its own children, and its value, at `child`.
  void node(std::uint32_t base, unsigned char byte, std::uint32_t child) {
    units[base ^ byte] = ((base ^ byte) ^ child) << 10 | byte;
  }
  void value(std::uint32_t base, unsigned char byte, std::uint32_t child, std::uint32_t value) {
    units[base ^ byte] |= 1 << 8;
    units[child] = 1u << 31 | value;
  }
  std::string bytes() const {
    std::string result;
    auto add = [&](std::uint32_t number) {
      for (int shift : {0, 8, 16, 24}) result += static_cast<char>(number >> shift);
    };
    add(static_cast<std::uint32_t>(4 * units.size()));
    for (std::uint32_t unit : units) add(unit);
    return result + text;
  }
};

// "a" becomes "x", "ab" becomes "yz".
Table two_entries() {
  Table table;
  table.node(Table::kRoot, 'a', 128);
  table.value(Table::kRoot, 'a', 128, 0);
  table.node(128, 'b', 64);
  table.value(128, 'b', 64, 2);
  return table;
}

TEST(Charsmap, FindsTheShortestAndTheLongestEntry) {
  Charsmap map(two_entries().bytes(), "test");
  EXPECT_EQ(map.shortest_prefix("abc")->replacement, "x");
  EXPECT_EQ(map.longest_prefix("abc")->replacement, "yz");
  EXPECT_EQ(map.longest_prefix("abc")->size, 2u);
  EXPECT_EQ(map.longest_prefix("ac")->size, 1u);
  EXPECT_FALSE(map.longest_prefix("b"));
  EXPECT_FALSE(map.longest_prefix(std::string_view("\0a", 2)));
  EXPECT_FALSE(Charsmap().longest_prefix("a"));
}

TEST(Charsmap, AnEntryEndsWithACharacter) {
  Table table;
  table.node(Table::kRoot, 0xC3, 128);
  table.value(Table::kRoot, 0xC3, 128, 0);
  EXPECT_FALSE(Charsmap(table.bytes(), "test").longest_prefix("é"));
}

TEST(Charsmap, IsCheckedBeforeUse) {
  auto refuse = [](const std::string& bytes, const char* message) {
    EXPECT_ERROR(Charsmap(bytes, "test"), data,
                 "test: the table of characters is damaged: " + std::string(message));
  };
  std::string whole = two_entries().bytes();
  refuse("", "it is cut off");
  refuse(whole.substr(0, 3), "it is cut off");
  refuse(whole.substr(0, 100), "an array of 2048 bytes in 100");
  refuse(std::string(8, '\0'), "an array of 0 bytes in 8");
  refuse(whole.substr(0, whole.size() - 1), "no text of at most 1000 bytes at 2 of 4");
  Table table = two_entries();
  table.node(128, 'b', Table::kRoot);
  refuse(table.bytes(), "a node leads back to one above it");
  table = two_entries();
  table.node(128, 'b', 128);
  refuse(table.bytes(), "a node leads back to one above it");
  table = two_entries();
  table.node(128, 'b', 1 << 20);
  refuse(table.bytes(), "a node lies outside the array");
  table.units[128 ^ 'b'] |= 1 << 8;
  refuse(table.bytes(), "a value lies outside the array");
  table = two_entries();
  table.value(128, 'b', 64, 77);
  refuse(table.bytes(), "no text of at most 1000 bytes at 77 of 5");
  table = two_entries();
  table.text = std::string("x\0", 2).append(1001, 'y').append(1, '\0');
  refuse(table.bytes(), "no text of at most 1000 bytes at 2 of 1004");
  table = two_entries();
  table.units[0] = 4096 << 10;
  refuse(table.bytes(), "a node lies outside the array");
  table = two_entries();
  table.text[2] = '\xFF';
  refuse(table.bytes(), "a text is no UTF-8");
}

TEST(Charsmap, TailsMayBeShared) {
  Table table;
  table.node(Table::kRoot, 'a', 128);
  table.node(Table::kRoot, 'c', 128);
  table.node(128, 'b', 64);
  table.value(128, 'b', 64, 2);
  Charsmap map(table.bytes(), "test");
  EXPECT_EQ(map.longest_prefix("cb")->replacement, "yz");
  EXPECT_EQ(map.longest_prefix("ab")->replacement, "yz");
}

TEST(Charsmap, InATokenizerJson) {
  Json root = {{"normalizer",
                {{"type", "Precompiled"}, {"precompiled_charsmap", base64_encode(two_entries().bytes())}}},
               {"model", model_json({{"<unk>", 0}, {"x", -1}, {"yz", -1}, {"b", -1}})}};
  // Hugging Face looks whole characters up, so "ab" is no entry of its.
  EXPECT_THAT(encode(tokenizer_of(root), "ab"), ElementsAre(1, 3));
  root["normalizer"]["precompiled_charsmap"] = "*";
  EXPECT_ERROR(tokenizer_of(root), data, "test, normalizer: precompiled_charsmap is no base64");
  root["normalizer"]["precompiled_charsmap"] = "AAAA";
  EXPECT_ERROR(tokenizer_of(root), data, HasSubstr("test, normalizer: the table of characters is damaged"));
  root["normalizer"]["precompiled_charsmap"] = "";
  EXPECT_THAT(encode(tokenizer_of(root), "x"), ElementsAre(1));
}

}  // namespace
}  // namespace surprisal
