#include "surprisal/tokenizer.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/random.h"
#include "tests/core/temporary_directory.h"
#include "tests/text/tokenizer_json.h"
#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Ids = std::vector<std::int32_t>;

const std::string kGoldens = SURPRISAL_TEST_DATA "/golden/tokenizers";

std::string random_text(Random& random, std::uint32_t characters) {
  std::string text;
  for (std::uint32_t i = 0; i < characters; ++i) {
    // Small code points more often, so that merges and classes of characters meet.
    char32_t c = random.below(0x110000u >> (5 * random.below(4)));
    if (c < 0xD800 || c >= 0xE000) append_utf8(c, text);
  }
  return text;
}

// Alone, a tokenizer.json would be read by transformers as the tokenizer of the model's family.
TEST(Tokenizer, SavesAConfigurationWhereItCameAlone) {
  Tokenizer alone =
      Tokenizer::from_json(read_file(kGoldens + "/wordpiece_cased/tokenizer.json"), "", "tokenizer.json");
  TemporaryDirectory directory;
  alone.save(directory.path());
  std::string config = read_file(directory / "tokenizer_config.json");
  EXPECT_THAT(config, testing::HasSubstr(R"("tokenizer_class": "PreTrainedTokenizerFast")"));
  EXPECT_THAT(config, testing::HasSubstr(R"("mask_token": "[MASK]")"));
  EXPECT_EQ(Tokenizer::load(directory.path()).special().mask, alone.special().mask);
}

TEST(Tokenizer, ByteLevelTextComesBackAsItWas) {
  Tokenizer tokenizer = Tokenizer::load(kGoldens + "/bpe");
  Random random({.seed = 1});
  // Added tokens that strip blanks, or whose spelling is not byte-level, do not come back.
  for (int i = 0; i < 2000; ++i) {
    std::string text = random_text(random, random.below(40));
    EXPECT_EQ(tokenizer.decode(encode(tokenizer, text)), text);
  }
}

TEST(Tokenizer, StartsTellWhereByteLevelTokensBegin) {
  Tokenizer tokenizer = Tokenizer::load(kGoldens + "/bpe");
  Random random({.seed = 2});
  for (int i = 0; i < 500; ++i) {
    std::string text = random_text(random, 30);
    Ids ids;
    std::vector<std::uint32_t> starts;
    tokenizer.encode(text, ids, &starts);
    ASSERT_EQ(starts.size(), ids.size());
    // A token holds as many bytes as its spelling has characters.
    std::uint32_t begin = 0;
    for (std::size_t k = 0; k < ids.size(); ++k) {
      ASSERT_EQ(starts[k], begin);
      std::string_view spelling = tokenizer.token(ids[k]);
      for (std::size_t at = 0; at < spelling.size(); ++begin) next_code_point(spelling, at);
    }
    EXPECT_EQ(begin, text.size());
  }
}

TEST(Tokenizer, StartsAscendAndFallOnCharactersOfTheOriginal) {
  Tokenizer tokenizer = Tokenizer::load(kGoldens + "/wordpiece_uncased");
  Random random({.seed = 3});
  std::size_t tokens = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string text = random_text(random, 30);
    Ids ids;
    std::vector<std::uint32_t> starts;
    tokenizer.encode(text, ids, &starts);
    ASSERT_EQ(starts.size(), ids.size());
    EXPECT_TRUE(std::is_sorted(starts.begin(), starts.end()));
    for (std::uint32_t start : starts) {
      ASSERT_LT(start, text.size());
      EXPECT_NE(text[start] & 0xC0, 0x80);
    }
    tokens += ids.size();
  }
  EXPECT_GT(tokens, 5000u);
}

TEST(Tokenizer, StartsSeeThroughNormalization) {
  Tokenizer tokenizer = tokenizer_of(wordpiece_json());
  Ids ids = {-1};
  std::vector<std::uint32_t> starts = {77};
  //              0      3    6 7     9          19
  tokenizer.encode("\u200d\u00c1b\u0301\u4e2d  AB[MASK].", ids, &starts);
  // Both are appended to. A b with an accent is a b; the Chinese character is not in the vocabulary.
  EXPECT_THAT(ids, ElementsAre(-1, 7, 1, 7, 4, 11));
  EXPECT_THAT(starts, ElementsAre(77, 3, 8, 13, 15, 21));
}

TEST(Tokenizer, ALongRunTakesNoLongTime) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (std::size_t size = 1; size <= 64; size *= 2)
    merges.emplace_back(std::string(size, 'a'), std::string(size, 'a'));
  Tokenizer tokenizer = tokenizer_of(byte_level_json(merges));
  Ids ids = encode(tokenizer, std::string(100'000, 'a'));
  std::vector<std::size_t> sizes;
  for (std::int32_t id : ids) sizes.push_back(tokenizer.token(id).size());
  EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 100'000u);
  // 781 times 128, and 32 are left.
  EXPECT_EQ(std::count(sizes.begin(), sizes.end(), 128u), 781);
  EXPECT_EQ(sizes.back(), 32u);
  EXPECT_EQ(ids.size(), 782u);
  EXPECT_EQ(encode(tokenizer, std::string(100'000, ' ')).size(), 100'000u);
}

TEST(Tokenizer, AWordWithoutEndIsOneUnknownToken) {
  Json root = wordpiece_json();
  root["model"]["max_input_chars_per_word"] = std::int64_t{1} << 40;
  EXPECT_EQ(encode(tokenizer_of(root), std::string(100'000, 'a')).size(), 100'000u);
  EXPECT_THAT(encode(tokenizer_of(root), std::string(100'000, 'a') + "x"), ElementsAre(1));
}

TEST(Tokenizer, ManyWordsDoNotUpsetTheCache) {
  Tokenizer tokenizer = Tokenizer::load(kGoldens + "/bpe");
  std::string text;
  Ids apart;
  // More than the cache holds, each of them twice.
  for (int i = 0; i < 120'000; ++i) {
    std::string word = " w" + std::string(1, static_cast<char>('a' + i % 26)) +
                       std::string(1, static_cast<char>('a' + i / 2 / 26 % 26)) +
                       std::string(1, static_cast<char>('a' + i / 2 / 676 % 26)) +
                       std::string(1, static_cast<char>('a' + i / 2 / 17576 % 26));
    text += word;
    Tokenizer fresh = tokenizer;
    Ids ids = encode(fresh, word);
    apart.insert(apart.end(), ids.begin(), ids.end());
  }
  EXPECT_EQ(encode(tokenizer, text), apart);
}

TEST(Tokenizer, ServesSeveralThreads) {
  Tokenizer tokenizer = Tokenizer::load(kGoldens + "/wordpiece_cased");
  std::vector<std::string> texts;
  std::vector<Ids> expected;
  Random random({.seed = 4});
  for (int i = 0; i < 200; ++i) {
    texts.push_back(random_text(random, 50));
    expected.push_back(encode(tokenizer, texts.back()));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < texts.size(); ++i) wrong += encode(tokenizer, texts[i]) != expected[i];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Tokenizer, KnowsItsVocabulary) {
  Json root = byte_level_json({{"a", "b"}});
  root["added_tokens"].push_back(added_token(258, "<pad>"));
  root["added_tokens"].push_back(added_token(259, "word", {{"special", false}}));
  Tokenizer tokenizer = tokenizer_of(root);
  EXPECT_EQ(tokenizer.vocabulary_size(), 260);
  EXPECT_EQ(tokenizer.id("ab"), 257);
  EXPECT_EQ(tokenizer.id("<pad>"), 258);
  EXPECT_EQ(tokenizer.id("nothing"), std::nullopt);
  EXPECT_EQ(tokenizer.token(257), "ab");
  EXPECT_EQ(tokenizer.token(' ' + 1), "\u0120");
  EXPECT_EQ(tokenizer.token(259), "word");
  EXPECT_EQ(tokenizer.token(260), "");
  EXPECT_EQ(tokenizer.token(-1), "");
  EXPECT_TRUE(tokenizer.is_special(0));
  EXPECT_TRUE(tokenizer.is_special(258));
  EXPECT_FALSE(tokenizer.is_special(259));
  EXPECT_FALSE(tokenizer.is_special(257));
}

TEST(Tokenizer, DecodesBytesThatAreNoText) {
  Tokenizer tokenizer = tokenizer_of(byte_level_json());
  auto bytes = [&](std::initializer_list<int> values) {
    Ids ids;
    for (int value : values) ids.push_back(value + 1);
    return tokenizer.decode(ids);
  };
  // A maximal part of a sequence is one U+FFFD; a byte that begins none is one by itself.
  EXPECT_EQ(bytes({'a', 0xE4, 0xB8, 'b'}), "a\uFFFDb");
  EXPECT_EQ(bytes({0xF0, 0x9F, 0x98}), "\uFFFD");
  EXPECT_EQ(bytes({0xC0, 0x80}), "\uFFFD\uFFFD");
  EXPECT_EQ(bytes({0xED, 0xA0, 0x80}), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(bytes({0xF4, 0x90, 0x80, 0x80}), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(bytes({0xE4, 0xB8, 0xAD, 0xFF}), "\u4e2d\uFFFD");
  EXPECT_EQ(bytes({}), "");
}

TEST(Tokenizer, DecodesWithoutADecoderByJoiningWithBlanks) {
  Json root = wordpiece_json();
  root["decoder"] = nullptr;
  EXPECT_EQ(tokenizer_of(root).decode(Ids{2, 5, 9, 3}), "[CLS] a ##b [SEP]");
}

TEST(Tokenizer, CleansUpOnlyIfTheDecoderSays) {
  Json root = wordpiece_json();
  EXPECT_EQ(tokenizer_of(root).decode(Ids{5, 9, 11}), "ab.");
  root["decoder"]["cleanup"] = false;
  EXPECT_EQ(tokenizer_of(root).decode(Ids{5, 9, 11}), "ab .");
}

TEST(Tokenizer, AnIdInAGapHasNoText) {
  Json root = wordpiece_json();
  root["model"]["vocab"]["far"] = 20;
  Tokenizer tokenizer = tokenizer_of(root);
  EXPECT_EQ(tokenizer.vocabulary_size(), 21);
  EXPECT_EQ(tokenizer.decode(Ids{5, 15, 20}), "a far");
}

TEST(Tokenizer, ModelsWithoutATypeAreRecognized) {
  Json bpe = byte_level_json(), wordpiece = wordpiece_json();
  bpe["model"].erase("type");
  wordpiece["model"].erase("type");
  EXPECT_EQ(encode(tokenizer_of(bpe), "a"), Ids{'a' + 1});
  EXPECT_EQ(encode(tokenizer_of(wordpiece), "a"), Ids{5});
}

TEST(Tokenizer, PrefixSpaceIsAddedToEveryPart) {
  Json root = byte_level_json();
  root["pre_tokenizer"]["add_prefix_space"] = true;
  Tokenizer tokenizer = tokenizer_of(root);
  EXPECT_THAT(encode(tokenizer, "a<|endoftext|>b c"),
              ElementsAre(' ' + 1, 'a' + 1, 0, ' ' + 1, 'b' + 1, ' ' + 1, 'c' + 1));
  EXPECT_THAT(encode(tokenizer, " a"), ElementsAre(' ' + 1, 'a' + 1));
  EXPECT_THAT(encode(tokenizer, ""), IsEmpty());
  Ids ids;
  std::vector<std::uint32_t> starts;
  tokenizer.encode("a<|endoftext|>b", ids, &starts);
  EXPECT_THAT(starts, ElementsAre(0, 0, 1, 14, 14));
}

TEST(Tokenizer, WithoutTheRegexAPartIsOneWord) {
  Json root = byte_level_json({{"a", "\u0120"}, {"a\u0120", "b"}});
  EXPECT_EQ(encode(tokenizer_of(root), "a b").size(), 3u);
  root["pre_tokenizer"]["use_regex"] = false;
  EXPECT_THAT(encode(tokenizer_of(root), "a b"), ElementsAre(258));
}

TEST(AddedTokens, StripWhatTheySay) {
  Json root = wordpiece_json();
  root["added_tokens"].push_back(added_token(12, "<m>", {{"lstrip", true}, {"rstrip", true}}));
  root["added_tokens"].push_back(added_token(13, "<m> a"));
  root["added_tokens"].push_back(added_token(14, "word", {{"single_word", true}}));
  Tokenizer tokenizer = tokenizer_of(root);
  Ids ids;
  std::vector<std::uint32_t> starts;
  tokenizer.encode("a \u2003<m> \n b<m> a word.words", ids, &starts);
  EXPECT_THAT(ids, ElementsAre(5, 12, 6, 13, 14, 11, 1));
  EXPECT_THAT(starts, ElementsAre(0, 1, 11, 12, 18, 22, 23));
}

TEST(AddedTokens, AreNotFoundInWhatAnotherTookAlong) {
  Json root = wordpiece_json();
  root["added_tokens"].push_back(added_token(12, "<m>", {{"rstrip", true}}));
  root["added_tokens"].push_back(added_token(13, "  ", {{"lstrip", true}}));
  root["added_tokens"].push_back(added_token(14, " a"));
  Tokenizer tokenizer = tokenizer_of(root);
  EXPECT_THAT(encode(tokenizer, "<m>  b"), ElementsAre(12, 6));
  EXPECT_THAT(encode(tokenizer, "b  b"), ElementsAre(6, 13, 6));
  // One that reaches beyond it is found, as in Hugging Face.
  EXPECT_THAT(encode(tokenizer, "<m> a"), ElementsAre(12, 14));
}

TEST(AddedTokens, AreFoundInNormalizedTextIfTheySaySo) {
  Json root = wordpiece_json();
  root["added_tokens"].push_back(added_token(12, "\u00c9B", {{"normalized", true}, {"special", false}}));
  Tokenizer tokenizer = tokenizer_of(root);
  EXPECT_THAT(encode(tokenizer, "aeBb eb \u00c9b"), ElementsAre(5, 12, 6, 12, 12));
  EXPECT_EQ(tokenizer.decode(Ids{12}), "eb");
  EXPECT_EQ(tokenizer.token(12), "\u00c9B");
}

TEST(SequenceTemplates, OfEveryPostProcessor) {
  using Pieces = std::vector<TemplatePiece>;
  auto single = [](const Tokenizer& tokenizer) {
    return Pieces(tokenizer.single_template().begin(), tokenizer.single_template().end());
  };
  auto pair = [](const Tokenizer& tokenizer) {
    return Pieces(tokenizer.pair_template().begin(), tokenizer.pair_template().end());
  };
  const TemplatePiece a{0, 0, 0}, b{1, 0, 1}, cls{-1, 2, 0}, sep{-1, 3, 0}, sep1{-1, 3, 1};
  Json root = wordpiece_json();
  EXPECT_EQ(single(tokenizer_of(root)), (Pieces{cls, a, sep}));
  EXPECT_EQ(pair(tokenizer_of(root)), (Pieces{cls, a, sep, b, sep1}));
  root["post_processor"]["type"] = "RobertaProcessing";
  EXPECT_EQ(single(tokenizer_of(root)), (Pieces{cls, a, sep}));
  EXPECT_EQ(pair(tokenizer_of(root)), (Pieces{cls, a, sep, sep, {1, 0, 0}, sep}));
  for (Json none : {Json(nullptr), Json{{"type", "ByteLevel"}}}) {
    root["post_processor"] = none;
    EXPECT_EQ(single(tokenizer_of(root)), (Pieces{a}));
    EXPECT_EQ(pair(tokenizer_of(root)), (Pieces{a, b}));
  }
  root["post_processor"] = parse_json(R"({"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 2}}],
    "pair": [{"Sequence": {"id": "B", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}}],
    "special_tokens": {"x": {"id": "x", "ids": [2, 3], "tokens": ["[CLS]", "[SEP]"]}}})",
                                      "test");
  EXPECT_EQ(single(tokenizer_of(root)), (Pieces{cls, sep, {0, 0, 2}}));
  EXPECT_EQ(pair(tokenizer_of(root)), (Pieces{{1, 0, 0}, {0, 0, 1}}));
  EXPECT_THAT(tokenizer_of(root).encode_with_special("a"), ElementsAre(2, 3, 5));
}

TEST(SpecialTokens, ComeFromTheSpellings) {
  SpecialTokens bert = tokenizer_of(wordpiece_json()).special();
  EXPECT_EQ(bert.pad, 0);
  EXPECT_EQ(bert.unk, 1);
  EXPECT_EQ(bert.cls, 2);
  EXPECT_EQ(bert.sep, 3);
  EXPECT_EQ(bert.mask, 4);
  EXPECT_EQ(bert.bos, std::nullopt);
  EXPECT_EQ(bert.eos, std::nullopt);
  SpecialTokens gpt = tokenizer_of(byte_level_json()).special();
  EXPECT_EQ(gpt.bos, 0);
  EXPECT_EQ(gpt.eos, 0);
  EXPECT_EQ(gpt.cls, std::nullopt);
  EXPECT_EQ(gpt.pad, std::nullopt);
  Json root = byte_level_json();
  root["added_tokens"] = Json::array();
  root["model"]["vocab"].erase("<|endoftext|>");
  std::int32_t id = 300;
  for (const char* token : {"<s>", "</s>", "<pad>", "<unk>"}) root["model"]["vocab"][token] = id++;
  SpecialTokens llama = tokenizer_of(root).special();
  EXPECT_EQ(llama.bos, 300);
  EXPECT_EQ(llama.eos, 301);
  EXPECT_EQ(llama.pad, 302);
  EXPECT_EQ(llama.unk, 303);
  EXPECT_EQ(llama.cls, std::nullopt);
  root["model"]["vocab"]["<mask>"] = id;
  SpecialTokens roberta = tokenizer_of(root).special();
  EXPECT_EQ(roberta.cls, 300);
  EXPECT_EQ(roberta.sep, 301);
  EXPECT_EQ(roberta.mask, 304);
}

TEST(SpecialTokens, ComeFromTheConfiguration) {
  SpecialTokens special =
      tokenizer_of(wordpiece_json(),
                   R"({"cls_token": "a", "sep_token": {"content": "b", "special": true}, "pad_token": null})")
          .special();
  EXPECT_EQ(special.cls, 5);
  EXPECT_EQ(special.sep, 6);
  EXPECT_EQ(special.pad, std::nullopt);
  EXPECT_EQ(special.mask, std::nullopt);
  EXPECT_EQ(special.bos, std::nullopt);
  // One that names no token says nothing of roles.
  EXPECT_EQ(tokenizer_of(wordpiece_json(), R"({"model_max_length": 512})").special().cls, 2);
}

TEST(Tokenizer, IsSavedAndLoaded) {
  TemporaryDirectory directory;
  std::string config = R"({"eos_token": "<|endoftext|>"})";
  Tokenizer tokenizer = tokenizer_of(byte_level_json({{"a", "b"}}), config);
  tokenizer.save(directory / "new" / "tokenizer");
  for (const std::filesystem::path& path :
       {directory / "new" / "tokenizer", directory / "new" / "tokenizer" / "tokenizer.json"}) {
    Tokenizer loaded = Tokenizer::load(path);
    EXPECT_EQ(loaded.tokenizer_json(), tokenizer.tokenizer_json());
    EXPECT_EQ(loaded.tokenizer_config_json(), config);
    EXPECT_EQ(loaded.fingerprint(), tokenizer.fingerprint());
    EXPECT_EQ(loaded.special().eos, 0);
    EXPECT_EQ(loaded.special().bos, std::nullopt);
    EXPECT_THAT(encode(loaded, "ab"), ElementsAre(257));
  }
}

TEST(Tokenizer, FingerprintTellsTokenizersApart) {
  Tokenizer one = tokenizer_of(byte_level_json({{"a", "b"}})),
            other = tokenizer_of(byte_level_json({{"a", "c"}}));
  EXPECT_THAT(one.fingerprint(), testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_NE(one.fingerprint(), other.fingerprint());
  EXPECT_EQ(one.fingerprint(), tokenizer_of(byte_level_json({{"a", "b"}})).fingerprint());
}

}  // namespace
}  // namespace surprisal
