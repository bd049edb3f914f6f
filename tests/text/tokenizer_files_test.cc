// The layouts from before tokenizer.json: what becomes of them, and every way in which they can be wrong.
// Whole tokenizers of these layouts are compared with Hugging Face's in tokenizer_goldens_test.cc.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surprisal/tokenizer.h"

#include "core/file.h"
#include "core/json.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/text/gzip_file.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Files = std::map<std::string, std::string>;

constexpr const char* kVocabTxt = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\n\u00e9\ne\n";
constexpr const char* kVocabJson =
    R"({"<|endoftext|>": 0, "a": 1, "b": 2, "ab": 3, "\u0120": 4, "\u0120a": 5})";
constexpr const char* kRoberta =
    R"({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "\u0120": 6, "<mask>": 7})";
constexpr const char* kMerges = "#version: 0.2\na b\n\u0120 a\n";

Files bert(Files more = {}) {
  more.insert({"vocab.txt", kVocabTxt});
  return more;
}

Files gpt2(Files more = {}) {
  more.insert({"vocab.json", kVocabJson});
  more.insert({"merges.txt", kMerges});
  return more;
}

Tokenizer load(const Files& files) {
  TemporaryDirectory directory;
  for (const auto& [name, content] : files) write_file_atomically(directory / name, content);
  return Tokenizer::load(directory.path());
}

std::vector<std::int32_t> encode(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, ids);
  return ids;
}

// Without the directory's name, which changes.
std::string message_of(const Files& files) {
  TemporaryDirectory directory;
  for (const auto& [name, content] : files) write_file_atomically(directory / name, content);
  try {
    Tokenizer::load(directory.path());
  } catch (const Error& error) {
    std::string text = error.what(), place = directory.path().string();
    for (std::size_t at; (at = text.find(place)) != text.npos;) text.replace(at, place.size(), "DIR");
    return text;
  }
  return "no error";
}

TEST(VocabTxt, IsBertsLowerCaseByDefault) {
  Tokenizer tokenizer = load(bert());
  EXPECT_THAT(encode(tokenizer, "AB \u00c9[MASK]"), ElementsAre(5, 7, 9, 4));
  EXPECT_THAT(tokenizer.encode_with_special("a"), ElementsAre(2, 5, 3));
  EXPECT_EQ(tokenizer.pair_template().size(), 5u);
  EXPECT_EQ(tokenizer.pair_template()[4].segment, 1);
  EXPECT_EQ(tokenizer.special().mask, 4);
  EXPECT_EQ(tokenizer.special().pad, 0);
  EXPECT_TRUE(tokenizer.is_special(4));
  EXPECT_EQ(tokenizer.decode(encode(tokenizer, "ab b")), "ab b");
}

TEST(VocabTxt, TakesItsOptionsFromTheConfiguration) {
  Tokenizer cased = load(bert({{"tokenizer_config.json", R"({"do_lower_case": false})"}}));
  EXPECT_THAT(encode(cased, "a \u00e9 A"), ElementsAre(5, 8, 1));
  Tokenizer accents = load(bert({{"tokenizer_config.json", R"({"strip_accents": false})"}}));
  EXPECT_THAT(encode(accents, "\u00c9"), ElementsAre(8));
  Tokenizer chinese = load({{"vocab.txt", std::string(kVocabTxt) + "\u4e2d\u4e2d\n"},
                            {"tokenizer_config.json", R"({"tokenize_chinese_chars": false})"}});
  EXPECT_THAT(encode(chinese, "\u4e2d\u4e2d"), ElementsAre(10));
}

TEST(VocabTxt, TakesLinesAsTheyAre) {
  Tokenizer windows = load({{"vocab.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na \r\n\r\nb"}});
  EXPECT_EQ(windows.vocabulary_size(), 8);
  EXPECT_EQ(windows.id("a"), 5);
  EXPECT_EQ(windows.id("b"), 7);
}

TEST(VocabTxt, GetsTheSpecialTokensThatItLacks) {
  Tokenizer tokenizer = load({{"vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\n"}});
  EXPECT_EQ(tokenizer.special().pad, 4);
  EXPECT_EQ(tokenizer.special().mask, 5);
  EXPECT_EQ(tokenizer.vocabulary_size(), 6);
}

TEST(VocabTxt, TakesAddedTokensFromEveryFile) {
  Tokenizer tokenizer = load(bert(
      {{"added_tokens.json", R"({"<n>": 11, "new": 10})"},
       {"special_tokens_map.json",
        R"({"mask_token": {"content": "[MASK]", "lstrip": true}, "additional_special_tokens": ["<n>"]})"}}));
  EXPECT_THAT(encode(tokenizer, "a [MASK]NEW<n><N>"), ElementsAre(5, 4, 10, 11, 1, 1, 1));
  EXPECT_TRUE(tokenizer.is_special(11));
  EXPECT_FALSE(tokenizer.is_special(10));
  // A newer file has all of them in one place, and the others are not looked at.
  Tokenizer newer = load(bert({{"tokenizer_config.json", R"({"added_tokens_decoder": {
      "10": {"content": "<x>", "rstrip": true, "special": true}}})"},
                               {"added_tokens.json", R"({"<y>": 10})"},
                               {"special_tokens_map.json", R"({"mask_token": "<m>"})"}}));
  EXPECT_THAT(encode(newer, "<x> a"), ElementsAre(10, 5));
  EXPECT_EQ(newer.special().mask, 4);
  EXPECT_EQ(newer.id("<y>"), std::nullopt);
}

TEST(VocabTxt, IsSavedAsATokenizerJson) {
  Tokenizer tokenizer =
      load(bert({{"tokenizer_config.json", R"({"model_max_length": 512, "do_lower_case": false})"}}));
  Json config = parse_json(tokenizer.tokenizer_config_json(), "test");
  EXPECT_EQ(config.at("tokenizer_class"), "PreTrainedTokenizerFast");
  EXPECT_EQ(config.at("mask_token"), "[MASK]");
  EXPECT_EQ(config.at("model_max_length"), 512);
  EXPECT_FALSE(config.contains("do_lower_case"));
  Tokenizer again =
      Tokenizer::from_json(tokenizer.tokenizer_json(), tokenizer.tokenizer_config_json(), "test");
  EXPECT_EQ(again.fingerprint(), tokenizer.fingerprint());
  EXPECT_EQ(encode(again, "a \u00e9 A"), encode(tokenizer, "a \u00e9 A"));
}

TEST(VocabJson, IsGpt2s) {
  Tokenizer tokenizer = load(gpt2());
  EXPECT_THAT(encode(tokenizer, "ab a<|endoftext|>"), ElementsAre(3, 5, 0));
  EXPECT_THAT(tokenizer.encode_with_special("a"), ElementsAre(1));
  EXPECT_EQ(tokenizer.special().eos, 0);
  EXPECT_EQ(tokenizer.special().pad, std::nullopt);
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{3, 5}), "ab a");
  Tokenizer prefix =
      load(gpt2({{"tokenizer_config.json", R"({"add_prefix_space": true, "add_bos_token": true})"}}));
  EXPECT_THAT(prefix.encode_with_special("a"), ElementsAre(0, 5));
  EXPECT_EQ(prefix.pair_template().size(), 4u);
}

TEST(VocabJson, IsRobertasIfTheFilesSaySo) {
  for (Files say : {Files{}, Files{{"config.json", R"({"model_type": "roberta"})"}},
                    Files{{"tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizerFast"})"}}}) {
    say.insert({"vocab.json", kRoberta});
    say.insert({"merges.txt", ""});
    Tokenizer tokenizer = load(say);
    EXPECT_THAT(tokenizer.encode_with_special("a"), ElementsAre(0, 4, 2));
    EXPECT_EQ(tokenizer.pair_template().size(), 6u);
    EXPECT_EQ(tokenizer.special().mask, 7);
    EXPECT_EQ(tokenizer.special().cls, 0);
  }
  // By its own word it is GPT-2's, for all that its tokens look like.
  Tokenizer other =
      load({{"vocab.json", kRoberta}, {"merges.txt", ""}, {"config.json", R"({"model_type": "gpt2"})"}});
  EXPECT_THAT(other.encode_with_special("a"), ElementsAre(4));
  EXPECT_EQ(other.special().eos, 8);
}

// Qwen2's cuts digits one by one and normalizes; its special tokens stand behind the vocabulary. A golden
// tokenizer.json of transformers, taken apart into the older files, is the same tokenizer.
TEST(VocabJson, IsQwen2sIfTheFilesSaySo) {
  const std::string path = SURPRISAL_TEST_DATA "/golden/tokenizers/qwen2";
  const Tokenizer whole = Tokenizer::load(path);
  const Json json = parse_json(read_file(path + "/tokenizer.json"), path);
  std::string merges = "#version: 0.2\n";
  for (const Json& merge : json.at("model").at("merges")) {
    merges += merge.is_string() ? merge.get<std::string>()
                                : merge.at(0).get<std::string>() + " " + merge.at(1).get<std::string>();
    merges += '\n';
  }
  Json config{{"tokenizer_class", "Qwen2Tokenizer"}}, decoder = Json::object();
  for (Json token : json.at("added_tokens")) {
    const std::string id = token.at("id").dump();
    token.erase("id");
    decoder[id] = token;
  }
  config["added_tokens_decoder"] = decoder;
  const Files files{{"vocab.json", json.at("model").at("vocab").dump()}, {"merges.txt", merges}};
  auto with = [&](const char* name, const Json& content) {
    Files all = files;
    all[name] = content.dump();
    return load(all);
  };
  const Tokenizer tokenizer = with("tokenizer_config.json", config);
  const Json strings = parse_json(read_gzip(SURPRISAL_TEST_DATA "/golden/tokenizers/strings.json.gz"), "");
  for (const Json& text : strings.at("strings")) {
    ASSERT_EQ(tokenizer.encode_with_special(text.get<std::string>()),
              whole.encode_with_special(text.get<std::string>()))
        << text;
  }
  EXPECT_EQ(tokenizer.special().eos, tokenizer.id("<|endoftext|>"));
  EXPECT_EQ(tokenizer.special().pad, tokenizer.special().eos);
  EXPECT_FALSE(tokenizer.special().bos);
  // Without a class config.json's model_type says it; with neither GPT-2's rules hold, and another type's are
  // not guessed.
  EXPECT_EQ(encode(with("config.json", {{"model_type", "qwen2"}}), "in 2024"), encode(tokenizer, "in 2024"));
  EXPECT_EQ(encode(load(files), "12 12").size() < encode(tokenizer, "12 12").size(),
            tokenizer.id("12").has_value());
  Files other = files;
  other["config.json"] = R"({"model_type": "opt"})";
  EXPECT_EQ(
      message_of(other),
      "DIR: no file says how vocab.json with merges.txt cuts text: found a config.json of \"opt\"; name "
      "the class as tokenizer_class in tokenizer_config.json");
}

TEST(TokenizerFiles, ATokenizerJsonComesFirst) {
  Tokenizer first = load(gpt2());
  Tokenizer tokenizer = load(bert({{"tokenizer.json", first.tokenizer_json()}}));
  EXPECT_EQ(tokenizer.fingerprint(), first.fingerprint());
}

TEST(TokenizerFiles, AFileThatIsNamedIsTaken) {
  TemporaryDirectory directory;
  write_file_atomically(directory / "vocab.txt", kVocabTxt);
  write_file_atomically(directory / "vocab.json", kVocabJson);
  write_file_atomically(directory / "merges.txt", kMerges);
  EXPECT_EQ(Tokenizer::load(directory / "vocab.txt").vocabulary_size(), 10);
  EXPECT_EQ(Tokenizer::load(directory / "vocab.json").vocabulary_size(), 6);
  EXPECT_EQ(Tokenizer::load(directory.path()).vocabulary_size(), 10);
}

TEST(TokenizerFiles, AMissingOneIsNamed) {
  EXPECT_THAT(message_of({{"vocab.json", kVocabJson}}), HasSubstr("DIR/merges.txt"));
  EXPECT_THAT(message_of({{"merges.txt", kMerges}}), HasSubstr("DIR/tokenizer.json"));
}

TEST(TokenizerFiles, AreRefusedForWhatIsWrongInThem) {
  EXPECT_EQ(
      message_of({{"vocab.txt", "[UNK]\na\nb\na\n"}}),
      "DIR/vocab.txt: token \"a\" stands in two lines: found lines 2 and 4; give one of them a name that no "
      "text has, such as [unused0]: the first, as transformers has the last line's id");
  EXPECT_EQ(message_of({{"vocab.txt", "[UNK]\na\xff\n"}}), "DIR/vocab.txt: the file is no UTF-8 at byte 7");
  EXPECT_EQ(message_of({{"vocab.txt", "a\nb\n"}}), "DIR, model: unk_token [UNK] is not in the vocabulary");
  EXPECT_EQ(message_of(gpt2({{"vocab.json", "[]"}})), "DIR/vocab.json: the file holds no object");
  EXPECT_EQ(message_of(gpt2({{"vocab.json", R"({"a": 1, "b": 1})"}})),
            "DIR/vocab.json: id 1 is given to two tokens: found \"a\" and \"b\"");
  EXPECT_EQ(message_of(gpt2({{"vocab.json", R"({"a": 4194304})"}})),
            "DIR/vocab.json: token \"a\" has a wrong id: found 4194304, expected an integer in [0, 4194303]");
  EXPECT_EQ(message_of(gpt2({{"merges.txt", "a b\n\nb a\n"}})),
            "DIR/merges.txt:2: malformed merge: found \"\", expected two tokens with a blank between");
  EXPECT_EQ(message_of(gpt2({{"merges.txt", "a b c\n"}})),
            "DIR/merges.txt:1: malformed merge: found \"a b c\", expected two tokens with a blank between");
  EXPECT_EQ(message_of(gpt2({{"merges.txt", "a z\n"}})),
            "DIR, model, merges[0]: token \"z\" of a merge is not in the vocabulary");
}

TEST(TokenizerFiles, AreRefusedForWhatIsNotKnown) {
  EXPECT_EQ(message_of(bert({{"tokenizer_config.json", R"({"tokenizer_class": "LayoutLMTokenizer"})"}})),
            "DIR: vocab.txt is not read for this class of tokenizer: found LayoutLMTokenizer, expected "
            "BertTokenizer; save the tokenizer with transformers, which writes a tokenizer.json");
  EXPECT_EQ(message_of(gpt2({{"tokenizer_config.json", R"({"tokenizer_class": "CLIPTokenizer"})"}})),
            "DIR: vocab.json with merges.txt is not read for this class of tokenizer: found CLIPTokenizer, "
            "expected GPT2Tokenizer, RobertaTokenizer or Qwen2Tokenizer; save the tokenizer with "
            "transformers, which writes a "
            "tokenizer.json");
  EXPECT_EQ(message_of(bert({{"tokenizer_config.json", R"({"image_token": "<i>"})"}})),
            "DIR/tokenizer_config.json: the role image_token is not known");
  EXPECT_EQ(message_of(bert({{"tokenizer_config.json", R"({"cls_token": null})"}})),
            "DIR/tokenizer_config.json: cls_token is null");
  EXPECT_EQ(
      message_of(bert({{"tokenizer_config.json", R"({"mask_token": 4})"}})),
      "DIR/tokenizer_config.json: key mask_token has a wrong value: found 4, expected a token, an object "
      "with its content, or null");
  EXPECT_EQ(message_of(bert({{"added_tokens.json", R"({"new": 12})"}})),
            "DIR/added_tokens.json: token \"new\" has a wrong id: found 12, expected 10");
  EXPECT_EQ(message_of(bert({{"added_tokens.json", R"({"new": 10, "old": 10})"}})),
            "DIR/added_tokens.json: id 10 is given to two tokens");
  EXPECT_EQ(
      message_of(bert({{"tokenizer_config.json", R"({"added_tokens_decoder": {"x": {"content": "a"}}})"}})),
      "DIR/tokenizer_config.json, added_tokens_decoder: an id is no number: found \"x\"");
  EXPECT_EQ(message_of(bert({{"special_tokens_map.json", R"({"additional_special_tokens": "a"})"}})),
            "DIR/special_tokens_map.json, additional_special_tokens: the list is no array");
}

}  // namespace
}  // namespace surprisal
