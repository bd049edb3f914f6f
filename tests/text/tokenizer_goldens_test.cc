// Against Hugging Face `tokenizers`: tools/goldens/tokenizers.py wrote what is compared here.
#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

#include "surprisal/tokenizer.h"

#include "core/file.h"
#include "core/json.h"
#include "tests/core/temporary_directory.h"
#include "tests/text/gzip_file.h"
#include "text/tokenizer/bert_normalizer.h"
#include "text/tokenizer/bert_pre_tokenizer.h"
#include "text/tokenizer/byte_level.h"
#include "text/tokenizer/character_pre_tokenizers.h"
#include "text/tokenizer/split.h"
#include "text/tokenizer/text_normalizers.h"
#include "text/tokenizer/unicode_normalizer.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

const std::string kGoldens = SURPRISAL_TEST_DATA "/golden/tokenizers";

Json golden(const std::string& name) {
  std::string path = kGoldens + "/" + name;
  Json json = parse_json(name.ends_with(".gz") ? read_gzip(path) : read_file(path), name);
  EXPECT_EQ(json.at("version"), 2);
  EXPECT_EQ(json.at("tokenizers"), "0.23.3");
  return json;
}

using Ids = std::vector<std::int32_t>;

void expect_as_by_hugging_face(const Tokenizer& tokenizer, const Json& strings, const Json& golden) {
  auto before = golden.at("before").get<Ids>(), after = golden.at("after").get<Ids>();
  for (std::size_t i = 0; i < strings.size(); ++i) {
    auto text = strings[i].get<std::string>();
    SCOPED_TRACE(strings[i].dump(-1, ' ', true));
    auto expected = golden.at("ids")[i].get<Ids>();
    Ids ids, again;
    std::vector<std::uint32_t> starts;
    tokenizer.encode(text, ids);
    EXPECT_EQ(ids, expected);
    tokenizer.encode(text, again, &starts);
    EXPECT_EQ(again, ids);
    ASSERT_EQ(starts.size(), ids.size());
    EXPECT_TRUE(std::is_sorted(starts.begin(), starts.end()));
    const Json& decoded = golden.at("text")[i];
    EXPECT_EQ(tokenizer.decode(ids), decoded.is_null() ? text : decoded.get<std::string>());
    expected.insert(expected.begin(), before.begin(), before.end());
    expected.insert(expected.end(), after.begin(), after.end());
    EXPECT_EQ(tokenizer.encode_with_special(text), expected);
  }
}

class HardStrings : public testing::TestWithParam<const char*> {};

// strings.json.gz has the strings and most tokenizers, unigram.json.gz the other ones.
TEST_P(HardStrings, AreTokenizedAsByHuggingFace) {
  static const Json goldens = golden("strings.json.gz"), unigram = golden("unigram.json.gz");
  const Json& strings = goldens.at("strings");
  ASSERT_EQ(strings.size(), 2000u);
  Tokenizer tokenizer = Tokenizer::load(kGoldens + "/" + GetParam());
  expect_as_by_hugging_face(tokenizer, strings,
                            (goldens.contains(GetParam()) ? goldens : unigram).at(GetParam()));
  // What is saved is a tokenizer.json, whatever was loaded.
  TemporaryDirectory directory;
  tokenizer.save(directory.path());
  Tokenizer saved = Tokenizer::load(directory.path());
  for (std::size_t i = 0; i < strings.size(); i += 10) {
    auto text = strings[i].get<std::string>();
    EXPECT_EQ(saved.encode_with_special(text), tokenizer.encode_with_special(text));
  }
  EXPECT_EQ(saved.special().mask, tokenizer.special().mask);
  EXPECT_EQ(saved.special().bos, tokenizer.special().bos);
  EXPECT_EQ(saved.special().pad, tokenizer.special().pad);
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, HardStrings,
                         testing::Values("bpe", "wordpiece_uncased", "wordpiece_cased", "bert_uncased",
                                         "bert_cased", "gpt2", "roberta", "modernbert", "llama3", "qwen2",
                                         "llama2", "word_level", "t5", "xlm_roberta", "albert", "mbart"),
                         [](const auto& test) { return std::string(test.param); });

// Planes 4 to 13 have no characters, 15 and 16 only private ones: one block of each stands for them.
bool is_looked_at(char32_t block) {
  char32_t plane = block >> 16;
  return plane < 4 || plane == 14 || (block & 0xFFFF) == 0;
}

// Checksums of what `describe` makes of every code point below `end`, one for each 4096; 0 for those not
// looked at.
std::vector<std::uint32_t> checksums(const std::function<std::string(const std::string&)>& describe,
                                     char32_t end) {
  std::vector<std::uint32_t> sums;
  for (char32_t block = 0; block < end; block += 0x1000) {
    uLong sum = crc32(0, nullptr, 0);
    for (char32_t c = block; is_looked_at(block) && c < block + 0x1000; ++c) {
      if (c >= 0xD800 && c < 0xE000) continue;
      std::string character;
      append_utf8(c, character);
      std::string text = describe(character);
      sum = crc32(sum, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
    }
    sums.push_back(static_cast<std::uint32_t>(sum));
  }
  return sums;
}

void expect_checksums(const char* name, const std::function<std::string(const std::string&)>& describe,
                      char32_t end = 0x110000) {
  static const Json goldens = golden("code_points.json");
  auto expected = goldens.at(name).get<std::vector<std::uint32_t>>();
  std::vector<std::uint32_t> sums = checksums(describe, end);
  ASSERT_GE(expected.size(), sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (!is_looked_at(static_cast<char32_t>(i) * 0x1000)) continue;
    EXPECT_EQ(sums[i], expected[i]) << name << ", code points from 0x" << std::hex << i * 0x1000;
  }
}

std::function<std::string(const std::string&)> normalized(const Normalizer& normalizer) {
  return [&normalizer](const std::string& character) {
    AlignedText text = AlignedText::from("a" + character + "b");
    normalizer.normalize(text);
    EXPECT_EQ(text.origin.size(), text.text.size());
    return text.text + "\n";
  };
}

void expect_normalized(const char* name, const Normalizer& normalizer) {
  expect_checksums(name, normalized(normalizer));
}

std::function<std::string(const std::string&)> words(const PreTokenizer& pre_tokenizer) {
  return [&pre_tokenizer](const std::string& c) {
    std::string result;
    for (const std::string& context :
         std::array{"a" + c + "b", "1" + c + "2", "." + c + ".", " " + c + " a"}) {
      Words cut = Words::from(AlignedText::from(context));
      pre_tokenizer.pre_tokenize(cut);
      for (std::size_t i = 0; i < cut.spans.size(); ++i) {
        if (i > 0) result += '|';
        result += cut.word(cut.spans[i]);
      }
      result += '\n';
    }
    return result;
  };
}

constexpr BertNormalizer::Options kNothing{false, false, false, false};

TEST(EveryCodePoint, IsCleaned) {
  BertNormalizer::Options options = kNothing;
  options.clean_text = true;
  expect_normalized("clean", BertNormalizer(options));
}

TEST(EveryCodePoint, IsChineseOrNot) {
  BertNormalizer::Options options = kNothing;
  options.handle_chinese_chars = true;
  expect_normalized("chinese", BertNormalizer(options));
}

TEST(EveryCodePoint, LosesItsAccents) {
  BertNormalizer::Options options = kNothing;
  options.strip_accents = true;
  expect_normalized("accents", BertNormalizer(options));
}

TEST(EveryCodePoint, IsLowered) {
  BertNormalizer::Options options = kNothing;
  options.lowercase = true;
  expect_normalized("lowercase", BertNormalizer(options));
  expect_normalized("lowercase", Lowercase());
}

TEST(EveryCodePoint, IsPutInNormalForm) {
  expect_normalized("nfc", UnicodeNormalizer(NormalizationForm::nfc));
  expect_normalized("nfd", UnicodeNormalizer(NormalizationForm::nfd));
  expect_normalized("nfkc", UnicodeNormalizer(NormalizationForm::nfkc));
  expect_normalized("nfkd", UnicodeNormalizer(NormalizationForm::nfkd));
}

TEST(EveryCodePoint, IsAMarkOrNot) {
  expect_normalized("marks", StripAccents());
}

TEST(EveryCodePoint, IsAWordCharacterOrNot) {
  expect_checksums("whitespace", words(Whitespace()));
}

TEST(EveryCodePoint, IsADigitOrNot) {
  expect_checksums("digits", words(*digits(Json::object(), "test")));
}

TEST(EveryCodePoint, IsInTheClassesOfPatterns) {
  static const Json goldens = golden("code_points.json");
  int patterns = 0;
  for (const auto& [name, sums] : goldens.items()) {
    if (!name.starts_with("split ")) continue;
    SCOPED_TRACE(name);
    Split split({{"pattern", {{"Regex", name.substr(6)}}}, {"behavior", "Isolated"}, {"invert", false}},
                "test");
    expect_checksums(name.c_str(), words(split), 0x20000);  // beyond, there is little but ideographs
    ++patterns;
  }
  EXPECT_EQ(patterns, 7);
}

TEST(EveryCodePoint, IsCutByBert) {
  expect_checksums("bert_words", words(BertPreTokenizer()));
}

TEST(EveryCodePoint, IsCutByGpt2) {
  ByteLevelPreTokenizer pre_tokenizer({.add_prefix_space = false, .use_regex = true});
  expect_checksums("byte_level_words", words(pre_tokenizer));
}

}  // namespace
}  // namespace surprisal
