// Every way in which a tokenizer.json can be wrong, and what is said of it.
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surprisal/tokenizer.h"

#include "core/file.h"
#include "core/regex.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/text/tokenizer_json.h"

namespace surprisal {
namespace {

struct BadFile {
  const char* name;
  std::function<void(Json&)> spoil;
  const char* message;
};

void expect_refused(Json root, const BadFile& bad) {
  SCOPED_TRACE(bad.name);
  bad.spoil(root);
  EXPECT_ERROR(tokenizer_of(root), data, bad.message);
}

TEST(TokenizerErrors, WordPieceFiles) {
  const std::vector<BadFile> files = {
      {"version", [](Json& r) { r["version"] = "2.0"; },
       "test: unknown version of tokenizer.json: found 2.0, expected 1.0"},
      {"no model", [](Json& r) { r.erase("model"); }, "test: key model is missing"},
      {"normalizer", [](Json& r) { r["normalizer"]["type"] = "Other"; },
       "test: unknown normalizer: found Other, expected one of BertNormalizer, ByteLevel, Lowercase, "
       "NFC, "
       "NFD, NFKC, NFKD, Precompiled, Prepend, Replace, Sequence, Strip, StripAccents"},
      {"pre-tokenizer", [](Json& r) { r["pre_tokenizer"]["type"] = "UnicodeScripts"; },
       "test: unknown pre_tokenizer: found UnicodeScripts, expected one of BertPreTokenizer, ByteLevel, "
       "CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit"},
      {"post-processor", [](Json& r) { r["post_processor"]["type"] = "Other"; },
       "test: unknown post_processor: found Other, expected one of BertProcessing, ByteLevel, "
       "RobertaProcessing, Sequence, TemplateProcessing"},
      {"decoder", [](Json& r) { r["decoder"]["type"] = "CTC"; },
       "test: unknown decoder: found CTC, expected one of BPEDecoder, ByteFallback, ByteLevel, Fuse, "
       "Metaspace, "
       "Replace, Sequence, Strip, WordPiece"},
      {"model", [](Json& r) { r["model"]["type"] = "Other"; },
       "test: unknown model: found Other, expected one of BPE, Unigram, WordLevel, WordPiece"},
      {"Unigram",
       [](Json& r) {
         r["model"] = {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", Json::array()}};
       },
       "test, model: unk_id is outside the vocabulary: found 0, expected below 0"},
      {"unknown option", [](Json& r) { r["normalizer"]["casefold"] = true; },
       "test, normalizer: unknown key casefold: expected one of type, clean_text, handle_chinese_chars, "
       "strip_accents, lowercase"},
      {"unknown part", [](Json& r) { r["middle"] = nullptr; },
       "test: unknown key middle: expected one of version, truncation, padding, added_tokens, normalizer, "
       "pre_tokenizer, post_processor, decoder, model"},
      {"unknown flag", [](Json& r) { r["added_tokens"][1]["bold"] = true; },
       "test, added_tokens[1]: unknown key bold: expected one of id, content, single_word, lstrip, rstrip, "
       "normalized, special"},
      {"no type", [](Json& r) { r["normalizer"].erase("type"); }, "test, normalizer: key type is missing"},
      {"no option", [](Json& r) { r["normalizer"].erase("clean_text"); },
       "test, normalizer: key clean_text is missing"},
      {"wrong option", [](Json& r) { r["normalizer"]["lowercase"] = 1; },
       "test, normalizer: key lowercase has a wrong value: found 1, expected true or false"},
      {"no vocabulary", [](Json& r) { r["model"]["vocab"] = Json::array(); },
       "test, model, vocab: the vocabulary is no object"},
      {"negative id", [](Json& r) { r["model"]["vocab"]["a"] = -1; },
       "test, model, vocab: token \"a\" has a wrong id: found -1, expected an integer in [0, 4194303]"},
      {"huge id", [](Json& r) { r["model"]["vocab"]["a"] = 4194304; },
       "test, model, vocab: token \"a\" has a wrong id: found 4194304, expected an integer in [0, 4194303]"},
      {"unsigned id", [](Json& r) { r["model"]["vocab"]["a"] = 18446744073709551615u; },
       "test, model, vocab: token \"a\" has a wrong id: found 18446744073709551615, expected an integer in "
       "[0, "
       "4194303]"},
      {"id of another kind", [](Json& r) { r["model"]["vocab"]["a"] = 1.5; },
       "test, model, vocab: token \"a\" has a wrong id: found 1.5, expected an integer in [0, 4194303]"},
      {"id twice", [](Json& r) { r["model"]["vocab"]["a"] = 6; },
       "test, model, vocab: id 6 is given to two tokens: found \"a\" and \"b\""},
      {"no unknown token", [](Json& r) { r["model"]["unk_token"] = "<unk>"; },
       "test, model: unk_token <unk> is not in the vocabulary"},
      {"word length", [](Json& r) { r["model"]["max_input_chars_per_word"] = -1; },
       "test, model: key max_input_chars_per_word has a wrong value: found -1, expected an integer in [0, "
       "9223372036854775807]"},
      {"added tokens", [](Json& r) { r["added_tokens"] = 1; }, "test, added_tokens: the list is no array"},
      {"added token", [](Json& r) { r["added_tokens"][1].erase("lstrip"); },
       "test, added_tokens[1]: key lstrip is missing"},
      {"added id", [](Json& r) { r["added_tokens"][1]["id"] = 0; },
       "test, added_tokens[1]: token \"[UNK]\" has a wrong id: found 0, expected 1"},
      {"new id", [](Json& r) { r["added_tokens"].push_back(added_token(13, "new")); },
       "test, added_tokens[5]: token \"new\" has a wrong id: found 13, expected 12"},
      {"taken id",
       [](Json& r) {
         r["model"]["vocab"]["."] = 12;
         r["added_tokens"].push_back(added_token(12, "new"));
       },
       "test, added_tokens[5]: token \"new\" has the id of another token: found 12"},
      {"twice", [](Json& r) { r["added_tokens"].push_back(added_token(0, "[PAD]")); },
       "test, added_tokens[5]: token \"[PAD]\" is added twice: found 0"},
      {"post-processor pair", [](Json& r) { r["post_processor"]["sep"] = "[SEP]"; },
       "test, post_processor: key sep has a wrong value: found \"[SEP]\", expected [token, id]"},
      {"post-processor id", [](Json& r) { r["post_processor"]["sep"][1] = 12; },
       "test, post_processor: a token of the post-processor is outside the vocabulary: found id 12, expected "
       "below 12"},
  };
  for (const BadFile& bad : files) expect_refused(wordpiece_json(), bad);
}

TEST(TokenizerErrors, Templates) {
  Json root = wordpiece_json();
  root["post_processor"] = parse_json(R"({"type": "TemplateProcessing", "pair": [], "special_tokens": {},
    "single": [{"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]})",
                                      "test");
  const std::vector<BadFile> files = {
      {"unknown token", [](Json&) {}, "test, post_processor, special_tokens: key x is missing"},
      {"ids", [](Json& r) { r["post_processor"]["special_tokens"]["x"]["ids"] = 2; },
       "test, post_processor, special_tokens: ids of x is no array"},
      {"sequence",
       [](Json& r) {
         r["post_processor"]["single"] = {{{"Sequence", {{"id", "B"}, {"type_id", 0}}}}};
       },
       "test, post_processor, single: unknown sequence: found B, expected A"},
      {"piece", [](Json& r) { r["post_processor"]["single"] = Json::array({"$A"}); },
       "test, post_processor, single: cannot look up key Sequence: found \"$A\", expected an object"},
      {"list", [](Json& r) { r["post_processor"]["single"] = "$A"; },
       "test, post_processor, single: the template is no array"},
  };
  for (const BadFile& bad : files) expect_refused(root, bad);
}

TEST(TokenizerErrors, BpeFiles) {
  const std::vector<BadFile> files = {
      {"merges", [](Json& r) { r["model"]["merges"] = "a b"; }, "test, model: merges is no array"},
      {"no merges", [](Json& r) { r["model"].erase("merges"); }, "test, model: key merges is missing"},
      {"one part", [](Json& r) { r["model"]["merges"].push_back("ab"); },
       "test, model, merges[1]: malformed merge: found \"ab\", expected two tokens: \"left right\" or "
       "[\"left\", "
       "\"right\"]"},
      {"three parts", [](Json& r) { r["model"]["merges"].push_back("a b c"); },
       "test, model, merges[1]: malformed merge: found \"a b c\", expected two tokens: \"left right\" or "
       "[\"left\", "
       "\"right\"]"},
      {"number",
       [](Json& r) {
         r["model"]["merges"].push_back(Json::array({"a", 1}));
       },
       "test, model, merges[1]: malformed merge: found [\"a\",1], expected two tokens: \"left right\" or "
       "[\"left\", "
       "\"right\"]"},
      {"left", [](Json& r) { r["model"]["merges"].push_back("zz a"); },
       "test, model, merges[1]: token \"zz\" of a merge is not in the vocabulary"},
      {"together", [](Json& r) { r["model"]["merges"].push_back("b a"); },
       "test, model, merges[1]: token \"ba\" of a merge is not in the vocabulary"},
      {"dropout", [](Json& r) { r["model"]["dropout"] = 0.1; },
       "test, model: BPE with dropout is not supported: found 0.1, expected none"},
      {"prefix", [](Json& r) { r["model"]["continuing_subword_prefix"] = "##"; },
       "test, model, merges[0]: token \"b\" of a merge is shorter than the prefix of subwords"},
      {"suffix", [](Json& r) { r["model"]["end_of_word_suffix"] = 1; },
       "test, model: key end_of_word_suffix has a wrong value: found 1, expected a string"},
      {"unknown token", [](Json& r) { r["model"]["unk_token"] = "<unk>"; },
       "test, model: unk_token <unk> is not in the vocabulary"},
  };
  for (const BadFile& bad : files) expect_refused(byte_level_json({{"a", "b"}}), bad);
}

TEST(TokenizerErrors, AreNotMadeOfHarmlessOptions) {
  Json root = byte_level_json({{"a", "b"}});
  root["model"].update({{"dropout", nullptr},
                        {"unk_token", nullptr},
                        {"continuing_subword_prefix", ""},
                        {"end_of_word_suffix", nullptr},
                        {"fuse_unk", false},
                        {"byte_fallback", false}});
  root["truncation"] = {{"max_length", 1}};
  root["padding"] = {{"pad_id", 0}};
  EXPECT_THAT(encode(tokenizer_of(root), "abab"), testing::ElementsAre(257, 257));
}

TEST(TokenizerErrors, JsonThatIsNone) {
  EXPECT_ERROR(Tokenizer::from_json("{", "", "test"), data, testing::HasSubstr("test, byte 1: invalid JSON"));
  EXPECT_ERROR(Tokenizer::from_json(R"({"model": {"vocab": {"a": 1, "a": 2}}})", "", "test"), data,
               testing::HasSubstr("duplicate key \"a\""));
  EXPECT_ERROR(Tokenizer::from_json("[]", "", "test"), data, "test: the file holds no object");
}

TEST(TokenizerErrors, Configurations) {
  EXPECT_ERROR(tokenizer_of(wordpiece_json(), R"({"mask_token": "<mask>"})"), data,
               "test/tokenizer_config.json: mask_token \"<mask>\" is not in the vocabulary");
  EXPECT_ERROR(tokenizer_of(wordpiece_json(), R"({"mask_token": 3})"), data,
               "test/tokenizer_config.json: key mask_token has a wrong value: found 3, expected a token, an "
               "object with "
               "its content, or null");
  EXPECT_ERROR(tokenizer_of(wordpiece_json(), "[]"), data,
               "test/tokenizer_config.json: the file holds no object");
}

TEST(TokenizerErrors, Files) {
  TemporaryDirectory directory;
  EXPECT_ERROR(Tokenizer::load(directory.path()), io, testing::HasSubstr("tokenizer.json"));
  EXPECT_ERROR(Tokenizer::load(directory / "missing.json"), io, testing::HasSubstr("missing.json"));
  write_file_atomically(directory / "tokenizer.json", "{}");
  EXPECT_ERROR(Tokenizer::load(directory.path()), data,
               (directory / "tokenizer.json").string() + ": key model is missing");
}

TEST(TokenizerErrors, Texts) {
  Tokenizer tokenizer = tokenizer_of(byte_level_json());
  EXPECT_ERROR(encode(tokenizer, "abc\xff"), data, "the text is no UTF-8 at byte 3");
  EXPECT_ERROR(encode(tokenizer, "\xed\xa0\x80"), data, "the text is no UTF-8 at byte 0");
}

TEST(TokenizerErrors, Ids) {
  Tokenizer tokenizer = tokenizer_of(byte_level_json());
  EXPECT_ERROR(tokenizer.decode(std::vector<std::int32_t>{257}), data,
               "token id outside the vocabulary: found 257, expected in [0, 257)");
  EXPECT_ERROR(tokenizer.decode(std::vector<std::int32_t>{-1}), data,
               "token id outside the vocabulary: found -1, expected in [0, 257)");
}

TEST(Regex, NamesTheMistakeInAPattern) {
  EXPECT_ERROR(Regex("a(b", "test"), data,
               testing::HasSubstr("regular expression a(b: missing closing parenthesis at byte 3"));
}

TEST(Regex, DoesNotMatchForEver) {
  Regex regex("(a+)+$", "test");
  RegexMatches matches(regex);
  std::string text = std::string(64, 'a') + "b";
  matches.restart(text);
  EXPECT_ERROR(matches.next(), data,
               testing::HasSubstr("cannot match a regular expression: match limit exceeded"));
}

TEST(Regex, GoesOnBehindAnEmptyMatch) {
  Regex regex("b*", "test");
  RegexMatches matches(regex);
  matches.restart("\u00e9bb");
  std::vector<ByteSpan> found;
  while (auto match = matches.next()) found.push_back(*match);
  EXPECT_EQ(found, (std::vector<ByteSpan>{{0, 0}, {2, 4}, {4, 4}}));
}

}  // namespace
}  // namespace surprisal
