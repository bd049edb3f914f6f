// Patterns, and what components do that no golden tokenizer shows. What is expected here was looked up in
// Hugging Face `tokenizers` 0.23.3.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "tests/core/error_matchers.h"
#include "tests/text/tokenizer_json.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/metaspace.h"
#include "text/tokenizer/oniguruma.h"
#include "text/tokenizer/pattern.h"
#include "text/tokenizer/sequences.h"
#include "text/tokenizer/split.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

Strings cut(const PreTokenizer& pre_tokenizer, std::string_view text) {
  Words words = Words::from(AlignedText::from(text));
  pre_tokenizer.pre_tokenize(words);
  Strings result;
  for (ByteSpan span : words.spans) result.emplace_back(words.word(span));
  return result;
}

Strings split(const Json& pattern, const char* behavior, bool invert, std::string_view text) {
  return cut(Split({{"pattern", pattern}, {"behavior", behavior}, {"invert", invert}}, "test"), text);
}

// The matches of a pattern.
Strings matches(const std::string& regex, const std::string& text) {
  TextPattern pattern({{"pattern", {{"Regex", regex}}}}, "test");
  std::vector<ByteSpan> spans;
  PatternMatches(pattern).find(text, spans);
  Strings result;
  for (ByteSpan span : spans) result.push_back(text.substr(span.begin, span.end - span.begin));
  return result;
}

TEST(Split, HasFiveBehaviors) {
  const Json dash = {{"String", "-"}};
  const char* text = "-the--end-";
  EXPECT_THAT(split(dash, "Removed", false, text), ElementsAre("the", "end"));
  EXPECT_THAT(split(dash, "Isolated", false, text), ElementsAre("-", "the", "-", "-", "end", "-"));
  EXPECT_THAT(split(dash, "MergedWithPrevious", false, text), ElementsAre("-", "the-", "-", "end-"));
  EXPECT_THAT(split(dash, "MergedWithNext", false, text), ElementsAre("-the", "-", "-end", "-"));
  EXPECT_THAT(split(dash, "Contiguous", false, text), ElementsAre("-", "the", "--", "end", "-"));
}

TEST(Split, CanBeInverted) {
  const Json word = {{"Regex", "\\w+"}};
  const char* text = "a  b-c";
  EXPECT_THAT(split(word, "Removed", true, text), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split(word, "Isolated", true, text), ElementsAre("a", "  ", "b", "-", "c"));
  EXPECT_THAT(split(word, "MergedWithPrevious", true, text), ElementsAre("a  ", "b-", "c"));
  EXPECT_THAT(split(word, "MergedWithNext", true, text), ElementsAre("a", "  b", "-c"));
  EXPECT_THAT(split({{"Regex", "."}}, "Contiguous", true, "abc"), ElementsAre("abc"));
}

TEST(Split, AnEmptyMatchCuts) {
  EXPECT_THAT(split({{"Regex", "(?=b)"}}, "Isolated", false, "abab"), ElementsAre("a", "ba", "b"));
  EXPECT_THAT(split({{"Regex", "x*"}}, "Isolated", false, "a\u00e9xxb"),
              ElementsAre("a", "\u00e9", "xx", "b"));
  EXPECT_THAT(split({{"String", ""}}, "Removed", false, "ab"), ElementsAre("a", "b"));
}

TEST(Split, RefusesWhatIsNoPattern) {
  auto make = [](const Json& json) { Split split(json, "test"); };
  EXPECT_ERROR(
      make({{"pattern", "a"}, {"behavior", "Removed"}, {"invert", false}}), data,
      "test: malformed pattern: found \"a\", expected {\"String\": \"...\"} or {\"Regex\": \"...\"}");
  EXPECT_ERROR(
      make({{"pattern", {{"String", "a"}}}, {"behavior", "removed"}, {"invert", false}}), data,
      "test: unknown behavior: found removed, expected one of Removed, Isolated, MergedWithPrevious, "
      "MergedWithNext, Contiguous");
  EXPECT_ERROR(make({{"pattern", {{"Regex", "a("}}}, {"behavior", "Removed"}, {"invert", false}}), data,
               "test, pattern: regular expression a(: a group that is not closed is not supported: found at "
               "byte 2");
}

TEST(Oniguruma, MeansOtherThingsThanPcre2) {
  // The intervals with a + are repeated, not possessive; {,n} is one.
  EXPECT_THAT(matches("a{2}+a", "aaaaa"), ElementsAre("aaaaa"));
  EXPECT_THAT(matches("ba{,2}", "baaa b"), ElementsAre("baa", "b"));
  EXPECT_THAT(matches("a{1,2}?", "aa"), ElementsAre("a", "a"));
  EXPECT_THAT(matches("a++b|a", "aab"), ElementsAre("aab"));
  EXPECT_THAT(matches("a{x", "a{x"), ElementsAre("a{x"));
  // Lines, and the dot that ends with them.
  EXPECT_THAT(matches("^.+$", "ab\ncd"), ElementsAre("ab", "cd"));
  EXPECT_THAT(matches("(?m:.)+", "ab\ncd"), ElementsAre("ab\ncd"));
  // Escapes that PCRE2 reads otherwise: a vertical tab, hexadecimal digits, code points.
  EXPECT_THAT(matches("\\v", "\n\v"), ElementsAre("\v"));
  EXPECT_THAT(matches("\\h+", " fg0"), ElementsAre("f", "0"));
  EXPECT_THAT(matches("\\u4E2D|\\x{1F600}|\\x41", "\u4e2d\U0001F600AB"),
              ElementsAre("\u4e2d", "\U0001F600", "A"));
  // White space is no U+180E, word characters are marks and connectors too.
  EXPECT_THAT(matches("\\s", "\u180e\u3000"), ElementsAre("\u3000"));
  EXPECT_THAT(matches("\\w+", "a\u0301\u203f!"), ElementsAre("a\u0301\u203f"));
  // A script is not what also uses it.
  EXPECT_THAT(matches("\\p{Hiragana}+", "\u3042\u30fc"), ElementsAre("\u3042"));
  EXPECT_THAT(matches("\\p{^L}|\\P{Any}", "a1"), ElementsAre("1"));
}

TEST(Oniguruma, HasClassesInClasses) {
  EXPECT_THAT(matches("[a-z&&[^aeiou]]+", "hello"), ElementsAre("h", "ll"));
  EXPECT_THAT(matches("[[:alpha:]\\d]+", "a1-b"), ElementsAre("a1", "b"));
  EXPECT_THAT(matches("[^\\W\\d_]+", "ab1_c"), ElementsAre("ab", "c"));
  EXPECT_THAT(matches("[\\S\\n]+", "a \nb"), ElementsAre("a", "\nb"));
  EXPECT_THAT(matches("[^[ab]\\S]", "a b"), ElementsAre(" "));
  EXPECT_THAT(matches("[]a]+", "a]b"), ElementsAre("a]"));
  EXPECT_THAT(matches("[\\w-]+", "a-b"), ElementsAre("a-b"));
  EXPECT_THAT(matches("[^[:space:]]+", "a b"), ElementsAre("a", "b"));
}

TEST(Oniguruma, IgnoresCaseAsUnicodeHasIt) {
  EXPECT_THAT(matches("(?i:'s|'ll)", "'S 'lL '\u017f"), ElementsAre("'S", "'lL", "'\u017f"));
  EXPECT_THAT(matches("(?i)k", "k\u212a"), ElementsAre("k", "\u212a"));
  EXPECT_THAT(matches("(?i:a(?-i:b))", "Ab AB"), ElementsAre("Ab"));
}

TEST(Oniguruma, WhatCannotBeTranslatedIsNamed) {
  auto refused = [](const char* pattern) -> std::string {
    try {
      return "became " + pcre2_pattern(pattern, "test");
    } catch (const Error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(refused("a\\Gb"), "test: regular expression a\\Gb: \\G is not supported: found at byte 2");
  EXPECT_THAT(refused("(?x)a"), HasSubstr("(?x is not supported"));
  EXPECT_THAT(refused("a(?i)b"), HasSubstr("an option within a group is not supported"));
  EXPECT_THAT(refused("(?i:stra\u00dfe)"), HasSubstr("\"st\" whose case is ignored"));
  EXPECT_THAT(refused("(?i:\u00e9)"), HasSubstr("a letter outside ASCII whose case is ignored"));
  EXPECT_THAT(refused("(?i)[\\p{Lu}]"), HasSubstr("a set of one case"));
  EXPECT_THAT(refused("\\p{Klingon}"), HasSubstr("\\p{Klingon} is not supported"));
  EXPECT_THAT(refused("\\p{L"), HasSubstr("\\p without {name}"));
  EXPECT_THAT(refused("(*FAIL)"), HasSubstr("(* is not supported"));
  EXPECT_THAT(refused("(?R)"), HasSubstr("(?R is not supported"));
  EXPECT_THAT(refused("\\12"), HasSubstr("a number of two digits"));
  EXPECT_THAT(refused("\\xE9"), HasSubstr("\\x of a byte"));
  EXPECT_THAT(refused("\\x{110000}"), HasSubstr("this number of a character"));
  EXPECT_THAT(refused("[b-a]"), HasSubstr("a range that runs backwards"));
  EXPECT_THAT(refused("[a"), HasSubstr("a class that is not closed"));
  EXPECT_THAT(refused("*a"), HasSubstr("* behind nothing"));
  EXPECT_THAT(refused("a)"), HasSubstr(") without ("));
  EXPECT_THAT(refused("a\\"), HasSubstr("a \\ at the end"));
  EXPECT_EQ(
      refused("a\u00e9b\xf0"),
      "test: regular expression a\u00e9b\uFFFD: a byte that is no UTF-8 is not supported: found at byte 4");
  EXPECT_THAT(refused(std::string(20'000, '*').c_str()),
              testing::AllOf(HasSubstr("* ...: a length of 20000 bytes is not supported"),
                             testing::SizeIs(testing::Lt(400u))));
  EXPECT_THAT(refused(std::string(100, '[').c_str()), HasSubstr("a class so deep in others"));
}

Json word_level(const Json& words, const Json& pre_tokenizer = {{"type", "WhitespaceSplit"}}) {
  return {{"pre_tokenizer", pre_tokenizer},
          {"model", {{"type", "WordLevel"}, {"vocab", words}, {"unk_token", "?"}}}};
}

TEST(WordLevel, NeedsAnUnknownTokenOnlyForUnknownWords) {
  Tokenizer tokenizer = tokenizer_of(word_level({{"a", 0}, {"b", 1}}));
  EXPECT_THAT(encode(tokenizer, "a b"), ElementsAre(0, 1));
  EXPECT_ERROR(encode(tokenizer, "a c"), data,
               "word \"c\" is not in the vocabulary, which has no unknown token");
  EXPECT_THAT(encode(tokenizer_of(word_level({{"a", 0}, {"?", 1}})), "a c"), ElementsAre(0, 1));
}

TEST(Metaspace, PrependsAsItIsTold) {
  auto ids = [](const Json& options, const std::string& text) {
    Json pre_tokenizer = {{"type", "Metaspace"}, {"replacement", "_"}};
    pre_tokenizer.update(options);
    Json root = word_level({{"?", 0}, {"_a", 1}, {"a", 2}, {"_a_a", 3}, {"<s>", 4}}, pre_tokenizer);
    root["added_tokens"] = {added_token(4, "<s>")};
    return encode(tokenizer_of(root), text);
  };
  EXPECT_THAT(ids({{"prepend_scheme", "always"}}, "a<s>a a"), ElementsAre(1, 4, 1, 1));
  EXPECT_THAT(ids({{"prepend_scheme", "first"}}, "a<s>a"), ElementsAre(1, 4, 2));
  EXPECT_THAT(ids({{"prepend_scheme", "first"}}, "<s>a"), ElementsAre(4, 2));
  EXPECT_THAT(ids({{"prepend_scheme", "never"}}, "a a"), ElementsAre(2, 1));
  EXPECT_THAT(ids({{"prepend_scheme", "always"}, {"split", false}}, "a a"), ElementsAre(3));
  EXPECT_THAT(ids({{"add_prefix_space", false}}, "a"), ElementsAre(2));
  EXPECT_THAT(ids({{"add_prefix_space", true}}, " a"), ElementsAre(1));
  EXPECT_ERROR(ids({{"prepend_scheme", "last"}}, ""), data,
               "test, pre_tokenizer: unknown prepend_scheme: found last, expected always, first or never");
  EXPECT_ERROR(
      ids({{"prepend_scheme", "first"}, {"add_prefix_space", false}}, ""), data,
      "test, pre_tokenizer: add_prefix_space contradicts prepend_scheme: found first, expected never");
  EXPECT_ERROR(
      ids({{"replacement", "__"}}, ""), data,
      "test, pre_tokenizer: key replacement has a wrong value: found \"__\", expected one character");
}

// What is first in the text is so by its place there, also where ByteLevel put a blank before it: that is no
// blank any more, but its character.
TEST(Metaspace, BehindByteLevel) {
  auto words = [](bool regex, const char* scheme, std::string_view text) {
    std::vector<std::unique_ptr<PreTokenizer>> members;
    members.push_back(
        ByteLevelPreTokenizer::create({{"add_prefix_space", true}, {"use_regex", regex}}, "test"));
    members.push_back(
        MetaspacePreTokenizer::create({{"replacement", "\u2581"}, {"prepend_scheme", scheme}}, "test"));
    return cut(PreTokenizerSequence(std::move(members)), text);
  };
  EXPECT_THAT(words(true, "first", "he a"), ElementsAre("\u2581\u0120he", "\u0120a"));
  EXPECT_THAT(words(true, "first", "  he"), ElementsAre("\u2581\u0120", "\u0120he"));
  EXPECT_THAT(words(true, "first", "\u2581he"), ElementsAre("\u2581\u0120\u00e2\u0138\u0123", "he"));
  EXPECT_THAT(words(true, "always", "he a"), ElementsAre("\u2581\u0120he", "\u2581\u0120a"));
  EXPECT_THAT(words(false, "always", " he a"), ElementsAre("\u2581\u0120he\u0120a"));
}

TEST(Decoders, InARow) {
  Json root = word_level({{"<0xC3>", 0}, {"<0xA9>", 1}, {"_a", 2}, {"b</w>", 3}, {"<0xFF>", 4}});
  auto decoded = [&](const Json& decoder, std::vector<std::int32_t> ids) {
    root["decoder"] = decoder;
    return tokenizer_of(root).decode(ids);
  };
  const Json bytes = {{"type", "ByteFallback"}}, fuse = {{"type", "Fuse"}};
  const Json blanks = {{"type", "Replace"}, {"pattern", {{"String", "_"}}}, {"content", " "}};
  const Json strip = {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}};
  EXPECT_EQ(decoded(bytes, {0, 1, 2, 0}), "\u00e9_a\uFFFD");
  EXPECT_EQ(decoded(bytes, {0, 4, 3}), "\uFFFD\uFFFDb</w>");
  EXPECT_EQ(decoded({{"type", "Sequence"}, {"decoders", {blanks, bytes, fuse, strip}}}, {2, 2, 0, 1}),
            "a a\u00e9");
  EXPECT_EQ(decoded({{"type", "Sequence"}, {"decoders", {blanks, strip}}}, {2, 2}), "aa");
  EXPECT_EQ(decoded({{"type", "BPEDecoder"}, {"suffix", "</w>"}}, {3, 2, 3}), "b _ab");
  EXPECT_EQ(decoded({{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "first"}}, {2, 2}),
            "a a");
  EXPECT_EQ(decoded({{"type", "Metaspace"}, {"replacement", "_"}, {"prepend_scheme", "never"}}, {2, 2}),
            " a a");
  EXPECT_ERROR(decoded({{"type", "Sequence"}, {"decoders", {{{"type", "CTC"}}}}}, {}), data,
               HasSubstr("test, decoder: unknown decoders[0]: found CTC"));
}

TEST(PostProcessors, OneOfASequenceAddsTokens) {
  Json root = wordpiece_json();
  Json bert = root["post_processor"];
  root["post_processor"] = {{"type", "Sequence"}, {"processors", {{{"type", "ByteLevel"}}, bert}}};
  EXPECT_THAT(tokenizer_of(root).encode_with_special("a"), ElementsAre(2, 5, 3));
  root["post_processor"]["processors"].push_back(bert);
  EXPECT_ERROR(
      tokenizer_of(root), data,
      "test, post_processor: a sequence with several post-processors that add tokens is not supported");
}

TEST(Bpe, FallsBackToBytesAndThenToTheUnknownToken) {
  Json model = {{"type", "BPE"},           {"unk_token", "?"},
                {"byte_fallback", true},   {"fuse_unk", true},
                {"merges", Json::array()}, {"vocab", {{"?", 0}, {"a", 1}, {"<0xC3>", 2}, {"<0xA9>", 3}}}};
  EXPECT_THAT(encode(tokenizer_of({{"model", model}}), "a\u00e9\u00e8\u00e8a"), ElementsAre(1, 2, 3, 0, 1));
  // Bytes overtake an unknown token that waits, as in Hugging Face; where tokens begin still ascends.
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> starts;
  tokenizer_of({{"model", model}}).encode("\u00e8\u00e9a", ids, &starts);
  EXPECT_THAT(ids, ElementsAre(2, 3, 0, 1));
  EXPECT_THAT(starts, ElementsAre(2, 2, 2, 4));
}

TEST(Bpe, HasPrefixAndSuffixOfSubwords) {
  Json model = {{"type", "BPE"},
                {"continuing_subword_prefix", "##"},
                {"end_of_word_suffix", "</w>"},
                {"merges", {"a ##b", Json::array({"ab", "##c</w>"})}},
                {"vocab", {{"a", 0}, {"##b", 1}, {"ab", 2}, {"##c</w>", 3}, {"abc</w>", 4}, {"a</w>", 5}}}};
  Json root = {{"pre_tokenizer", {{"type", "WhitespaceSplit"}}}, {"model", model}};
  EXPECT_THAT(encode(tokenizer_of(root), "abc a ab"), ElementsAre(4, 5, 0));
}

TEST(AddedTokens, AreNotNormalizedToNothing) {
  Json root = wordpiece_json();
  root["normalizer"] = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}};
  root["added_tokens"].push_back(added_token(12, "\n", {{"normalized", true}}));
  EXPECT_ERROR(tokenizer_of(root), data, "test, added_tokens: token \"\\n\" is normalized to nothing");
}

}  // namespace
}  // namespace surprisal
