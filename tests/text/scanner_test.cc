// The hand-written scanners against PCRE2.
#include "text/tokenizer/scanner.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "core/regex.h"
#include "text/tokenizer/oniguruma.h"
#include "text/tokenizer/word_class.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

using testing::ElementsAre;

std::string utf8(char32_t c) {
  std::string text;
  append_utf8(c, text);
  return text;
}

std::vector<std::string> scan(Scanner scanner, std::string_view text) {
  std::vector<ByteSpan> spans;
  scanner(text, 7, spans);
  std::vector<std::string> words;
  for (ByteSpan span : spans) words.emplace_back(text.substr(span.begin - 7, span.end - span.begin));
  return words;
}

std::vector<std::string> match(const Regex& regex, std::string_view text) {
  RegexMatches matches(regex);
  matches.restart(text);
  std::vector<std::string> words;
  while (auto span = matches.next()) words.emplace_back(text.substr(span->begin, span->end - span->begin));
  return words;
}

Scanner gpt2() {
  return known_patterns()[0].scan;
}
Scanner llama3() {
  return known_patterns()[1].scan;
}
Scanner qwen2() {
  return known_patterns()[2].scan;
}

TEST(WordClasses, AreThoseOfThePatternForEveryCodePoint) {
  std::string all;
  std::vector<char32_t> code_point;  // by byte of `all`
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    append_utf8(c, all);
    code_point.resize(all.size(), c);
  }
  std::vector<WordClass> expected(0x110000, WordClass::other);
  auto mark = [&](const char* pattern, WordClass value) {
    Regex regex(pcre2_pattern(pattern, "test"), pattern);
    RegexMatches matches(regex);
    matches.restart(all);
    while (auto span = matches.next()) expected[code_point[span->begin]] = value;
  };
  mark("\\p{L}", WordClass::letter);
  mark("\\p{N}", WordClass::number);
  mark("\\s", WordClass::space);
  const WordClasses& classes = WordClasses::instance();
  for (char32_t c : code_point) {
    if (classes(c) != expected[c]) FAIL() << std::hex << "U+" << static_cast<unsigned>(c);
  }
}

TEST(Scanner, IsFoundForTheKnownSpellingsAlone) {
  EXPECT_EQ(find_scanner(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"),
            gpt2());
  EXPECT_EQ(find_scanner(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
                         R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"),
            llama3());
  EXPECT_EQ(
      find_scanner(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
                   R"(|\s*[\r\n]+|\s+(?!\S)|\s+)"),
      qwen2());
  EXPECT_EQ(find_scanner(""), nullptr);
  EXPECT_EQ(find_scanner("\\s+"), nullptr);
}

TEST(Scanner, CutsWordsAsTheirAuthorsDo) {
  std::string text = "I've  I'VE 12345 (a)\r\n\n  x\t!!\n中文，";
  EXPECT_THAT(scan(gpt2(), text), ElementsAre("I", "'ve", " ", " I", "'", "VE", " 12345", " (", "a", ")",
                                              "\r\n\n ", " x", "\t", "!!", "\n", "中文", "，"));
  EXPECT_THAT(scan(llama3(), text), ElementsAre("I", "'ve", " ", " I", "'VE", " ", "123", "45", " (", "a",
                                                ")\r\n\n", " ", " x", "\t", "!!\n", "中文", "，"));
  EXPECT_THAT(scan(qwen2(), text), ElementsAre("I", "'ve", " ", " I", "'VE", " ", "1", "2", "3", "4", "5",
                                               " (", "a", ")\r\n\n", " ", " x", "\t", "!!\n", "中文", "，"));
  EXPECT_TRUE(scan(gpt2(), "").empty());
  EXPECT_THAT(scan(llama3(), "it'\u017fx"), ElementsAre("it", "'\u017f", "x"));
}

// Pieces in which the patterns' branches meet: apostrophes and the letters behind them, blanks of every kind,
// line ends, and code points of each class, also those of a newer Unicode.
std::string random_piece(Random& random) {
  static const std::vector<std::string> kPieces = {
      "'",          "'s",     "'S",     "'re",    "'RE",    "'rE",          "'ve",        "'ll",
      "'lL",        "'L",     "'d",     "'m",     "'t",     "'\u017f",      "'r",         "' ",
      "''",         " ",      "  ",     "\t",     "\r",     "\n",           "\r\n",       "\n\n",
      "\u00a0",     "\u0085", "\u2028", "\u3000", "\u180e", "\u200b",       "a",          "Z",
      "the",        "\u00e9", "\u0301", "中",     "中文",   "\u0e01\u0e49", "\U0001fae8", "\U00031350",
      "\U00010d40", "0",      "12",     "123",    "1234",   "\u00bd",       "\u0663",     "\u2167",
      "三",         ".",      "!?",     "，",     "-",      "\x01",         "\u00ad",     "_"};
  std::uint32_t choice = random.below(100);
  if (choice < 80) return kPieces[random.below(static_cast<std::uint32_t>(kPieces.size()))];
  if (choice < 90) return utf8(static_cast<char32_t>(random.below(0x80)));
  char32_t c = static_cast<char32_t>(random.below(choice < 97 ? 0x3400 : 0x110000));
  return c >= 0xD800 && c < 0xE000 ? "x" : utf8(c);
}

TEST(Scanner, EqualsThePatternOnRandomText) {
  for (const KnownPattern& known : known_patterns()) {
    Regex regex(pcre2_pattern(known.pattern, "test"), "the pattern");
    Random random({.seed = 1});
    std::size_t words = 0;
    for (int round = 0; round < 20000; ++round) {
      std::string text;
      for (std::uint32_t count = random.below(16); count > 0; --count) text += random_piece(random);
      std::vector<std::string> expected = match(regex, text);
      ASSERT_EQ(scan(known.scan, text), expected) << known.pattern << " on " << testing::PrintToString(text);
      words += expected.size();
    }
    EXPECT_GT(words, 100000u);
  }
}

}  // namespace
}  // namespace surprisal
