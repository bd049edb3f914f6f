// Against Hugging Face `tokenizers`: tools/goldens/tokenizers.py wrote what is compared here.
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
#include "text/tokenizer/bert_normalizer.h"
#include "text/tokenizer/bert_pre_tokenizer.h"
#include "text/tokenizer/byte_level.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

const std::string kGoldens = SURPRISAL_TEST_DATA "/golden/tokenizers";

Json golden(const std::string& name) {
  Json json = parse_json(read_file(kGoldens + "/" + name), name);
  EXPECT_EQ(json.at("version"), 1);
  EXPECT_EQ(json.at("tokenizers"), "0.23.3");
  return json;
}

class HardStrings : public testing::TestWithParam<const char*> {};

TEST_P(HardStrings, AreTokenizedAsByHuggingFace) {
  static const Json goldens = golden("strings.json");
  Tokenizer tokenizer = Tokenizer::load(kGoldens + "/" + GetParam());
  const Json& strings = goldens.at("strings");
  ASSERT_GE(strings.size(), 200u);
  for (std::size_t i = 0; i < strings.size(); ++i) {
    auto text = strings[i].get<std::string>();
    const Json& expected = goldens.at(GetParam())[i];
    SCOPED_TRACE(strings[i].dump(-1, ' ', true));
    std::vector<std::int32_t> ids;
    tokenizer.encode(text, ids);
    EXPECT_EQ(ids, expected.at("ids").get<std::vector<std::int32_t>>());
    EXPECT_EQ(tokenizer.encode_with_special(text), expected.at("special").get<std::vector<std::int32_t>>());
    EXPECT_EQ(tokenizer.decode(ids), expected.at("text").get<std::string>());
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, HardStrings,
                         testing::Values("bpe", "wordpiece_uncased", "wordpiece_cased"),
                         [](const auto& test) { return std::string(test.param); });

// Planes 4 to 13 have no characters, 15 and 16 only private ones: one block of each stands for them.
bool is_looked_at(char32_t block) {
  char32_t plane = block >> 16;
  return plane < 4 || plane == 14 || (block & 0xFFFF) == 0;
}

// Checksums of what `describe` makes of every code point, one for each 4096; 0 for those not looked at.
std::vector<std::uint32_t> checksums(const std::function<std::string(const std::string&)>& describe) {
  std::vector<std::uint32_t> sums;
  for (char32_t block = 0; block < 0x110000; block += 0x1000) {
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

void expect_checksums(const char* name, const std::function<std::string(const std::string&)>& describe) {
  static const Json goldens = golden("code_points.json");
  auto expected = goldens.at(name).get<std::vector<std::uint32_t>>();
  std::vector<std::uint32_t> sums = checksums(describe);
  ASSERT_EQ(sums.size(), expected.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    if (!is_looked_at(static_cast<char32_t>(i) * 0x1000)) continue;
    EXPECT_EQ(sums[i], expected[i]) << name << ", code points from 0x" << std::hex << i * 0x1000;
  }
}

std::function<std::string(const std::string&)> normalized(BertNormalizer::Options options) {
  return [normalizer = BertNormalizer(options)](const std::string& character) {
    AlignedText text = AlignedText::from("a" + character + "b");
    normalizer.normalize(text);
    EXPECT_EQ(text.origin.size(), text.text.size());
    return text.text + "\n";
  };
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
  expect_checksums("clean", normalized(options));
}

TEST(EveryCodePoint, IsChineseOrNot) {
  BertNormalizer::Options options = kNothing;
  options.handle_chinese_chars = true;
  expect_checksums("chinese", normalized(options));
}

TEST(EveryCodePoint, LosesItsAccents) {
  BertNormalizer::Options options = kNothing;
  options.strip_accents = true;
  expect_checksums("accents", normalized(options));
}

TEST(EveryCodePoint, IsLowered) {
  BertNormalizer::Options options = kNothing;
  options.lowercase = true;
  expect_checksums("lowercase", normalized(options));
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
