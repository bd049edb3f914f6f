#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "surprisal/tokenizer.h"

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/text/sentencepiece_file.h"
#include "tests/text/tokenizer_json.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Type = SentencePieceModel::Type;

constexpr const char* kBlank = "\xE2\x96\x81";

// <unk> <s> </s>, then a (3), b, ab, the blank (6), blank and a.
SentencePieceFile small_file(std::uint64_t algorithm = 1) {
  SentencePieceFile file;
  file.trainer = number_field(3, algorithm);
  file.add("a", -2);
  file.add("b", -2.5f);
  file.add("ab", -1);
  file.add(kBlank, -3);
  file.add(std::string(kBlank) + "a", -1.4f);
  return file;
}

Tokenizer load(const std::string& bytes) {
  TemporaryDirectory directory;
  write_file_atomically(directory / "m.model", bytes);
  return Tokenizer::load(directory / "m.model");
}

TEST(SentencePiece, CutsText) {
  Tokenizer unigram = load(small_file().bytes());
  EXPECT_THAT(encode(unigram, "ab"), ElementsAre(7, 4));             // -3.9; the blank and ab: -4
  EXPECT_THAT(encode(unigram, " ab  b "), ElementsAre(7, 4, 6, 4));  // blanks that are too many go
  EXPECT_THAT(encode(unigram, "zzb"), ElementsAre(6, 0, 4));
  EXPECT_THAT(encode(unigram, ""), ElementsAre());
  EXPECT_THAT(encode(unigram, "  "), ElementsAre());
  Tokenizer bpe = load(small_file(2).bytes());
  EXPECT_THAT(encode(bpe, "ab"), ElementsAre(6, 5));
  EXPECT_THAT(encode(bpe, "aab"), ElementsAre(7, 5));
  EXPECT_EQ(bpe.decode(encode(bpe, "aab ab")), "aab ab");
  EXPECT_EQ(bpe.decode(encode(bpe, "a☃")), "a \xE2\x81\x87 ");
}

TEST(SentencePiece, SpecialTokensStayAndAreFound) {
  Tokenizer tokenizer = load(small_file().bytes());
  EXPECT_EQ(tokenizer.special().unk, 0);
  EXPECT_EQ(tokenizer.special().bos, 1);
  EXPECT_EQ(tokenizer.special().eos, 2);
  EXPECT_EQ(tokenizer.special().pad, std::nullopt);
  EXPECT_TRUE(tokenizer.is_special(1));
  EXPECT_THAT(encode(tokenizer, "a</s>b"), ElementsAre(7, 2, 6, 4));
  EXPECT_EQ(tokenizer.decode(std::vector<std::int32_t>{1, 7, 2}), "<s> a</s>");
}

TEST(SentencePiece, ComponentsForHuggingFaceStandBesideTheFile) {
  Json root = Json::parse(load(small_file(2).bytes()).tokenizer_json());
  EXPECT_EQ(root["model"]["type"], "BPE");
  EXPECT_EQ(root["model"]["merges"], Json::parse(R"([["a","b"],["▁","a"]])"));
  EXPECT_EQ(root["pre_tokenizer"]["pretokenizers"][0]["type"], "Metaspace");
  EXPECT_EQ(root["added_tokens"].size(), 3u);
  root["model"]["sentencepiece"]["file"] = "*";
  EXPECT_ERROR(tokenizer_of(root), data, "test, model, sentencepiece: the file is no base64");
  root["model"]["sentencepiece"]["file"] = "";
  EXPECT_ERROR(tokenizer_of(root), data, HasSubstr("test, model, sentencepiece: no SentencePiece model"));
  // Without the file the components count.
  root["model"].erase("sentencepiece");
  EXPECT_THAT(encode(tokenizer_of(root), "ab"), ElementsAre(6, 5));
}

// As unused pieces have no like in Hugging Face, it is to refuse the file.
TEST(SentencePiece, ComponentsThatComeNotCloseAreLeftOut) {
  SentencePieceFile file = small_file(2);
  file.add("aa", -1, Type::unused);
  Tokenizer tokenizer = load(file.bytes());
  EXPECT_EQ(Json::parse(tokenizer.tokenizer_json())["model"]["type"], "SentencePiece");
  EXPECT_THAT(encode(tokenizer, "aaa"), ElementsAre(6, 3, 3, 3));  // aa was made, and taken apart
  file = small_file();
  file.trainer += number_field(24, 1);
  tokenizer = load(file.bytes());
  EXPECT_EQ(Json::parse(tokenizer.tokenizer_json())["model"]["type"], "SentencePiece");
  EXPECT_THAT(encode(tokenizer, "ab"), ElementsAre(5, 6));
}

void expect_refused(const std::string& bytes, const std::string& message) {
  SCOPED_TRACE(message);
  EXPECT_ERROR(read_sentencepiece_model(bytes, "m.model"), data, "m.model" + message);
}

TEST(SentencePieceFile, Damage) {
  std::string whole = small_file().bytes();
  const std::string damaged = ": no SentencePiece model, or a damaged one: ";
  expect_refused("", ": no SentencePiece model: it has no pieces");
  expect_refused("\x0A", damaged + "the file ends within a number at byte 1");
  expect_refused(
      "\x0A\x05"
      "abc",
      damaged + "a field of 5 bytes where 3 are left at byte 2");
  expect_refused(std::string(11, '\xFF'), damaged + "a number of more than 64 bits at byte 10");
  expect_refused("\x0B", damaged + "a field of kind 3 at byte 1");
  expect_refused(std::string("\0\1", 2), damaged + "field 0 at byte 1");
  expect_refused("\x08\x01", ": field 1 is no string");
  expect_refused(bytes_field(1, number_field(2, 1)), ": the score is no float");
  // Nothing that is cut off goes unseen, but at the end of a field of the file itself.
  int refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      read_sentencepiece_model(whole.substr(0, size), "m.model");
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, static_cast<int>(whole.size()) * 3 / 4);
}

TEST(SentencePieceFile, FieldsThatAreNotKnownAreSkipped) {
  std::string bytes =
      small_file().bytes() + bytes_field(4, "self test") + number_field(200, 7) + float_field(201, 1);
  EXPECT_EQ(read_sentencepiece_model(bytes, "m.model").pieces.size(), 8u);
}

TEST(SentencePieceFile, Pieces) {
  auto with = [](std::string_view text, float score = 0, Type type = Type::normal) {
    SentencePieceFile file = small_file();
    file.add(text, score, type);
    return file.bytes();
  };
  expect_refused(with("ab"), ": piece \"ab\" is there twice: ids 5 and 8");
  expect_refused(with("<s>"), ": piece \"<s>\" is there twice: ids 1 and 8");
  expect_refused(with(""), ", piece 8: the piece is empty");
  expect_refused(with(std::string(8000, 'x')), ", piece 8: the piece has 8000 bytes, more than 7999");
  expect_refused(with("\xFF"), ", piece 8: the piece is no UTF-8");
  expect_refused(with(std::string_view("x\0", 2)), ", piece 8: the piece has a null byte");
  expect_refused(with("x", std::numeric_limits<float>::quiet_NaN()), ", piece 8: the score is no number");
  expect_refused(with("x", 0, Type::unknown), ": two unknown pieces: ids 0 and 8");
  expect_refused(with("x", 0, static_cast<Type>(7)), ": unknown type of piece 7");
  expect_refused(with("<0x41>", 0, Type::byte), ": byte piece <0x41> in a model without byte fallback");
  SentencePieceFile file = small_file();
  file.pieces[0].type = Type::control;
  expect_refused(file.bytes(), ": the model has no unknown piece");
  file = small_file();
  file.trainer += number_field(35, 1);
  expect_refused(file.bytes(), ": byte piece <0x00> is missing");
  file.add("<0x4>", 0, Type::byte);
  expect_refused(file.bytes(), ": piece \"<0x4>\" stands for no byte");
}

TEST(SentencePieceFile, Kinds) {
  expect_refused(
      small_file(3).bytes(),
      ": a SentencePiece model of this type is not supported: found word, expected unigram or bpe");
  expect_refused(
      small_file(4).bytes(),
      ": a SentencePiece model of this type is not supported: found char, expected unigram or bpe");
  expect_refused(small_file(9).bytes(), ": unknown type of model 9");
  expect_refused(small_file().bytes() + bytes_field(5, bytes_field(2, "x")),
                 ": a denormalizer is not supported");
  SentencePieceFile file = small_file();
  file.normalizer = bytes_field(2, "abc");
  expect_refused(file.bytes(), ", precompiled_charsmap: the table of characters is damaged: it is cut off");
}

class SentencePieceDirectory : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) {
    write_file_atomically(directory_ / name, content);
  }
  Tokenizer load() { return Tokenizer::load(directory_.path()); }
  TemporaryDirectory directory_;
};

TEST_F(SentencePieceDirectory, TheFileHasAUsualNameOrIsAlone) {
  write("other.model", small_file(2).bytes());
  EXPECT_THAT(encode(load(), "ab"), ElementsAre(6, 5));
  write("another.model", "");
  EXPECT_ERROR(load(), data, HasSubstr("several .model files: found another.model and other.model"));
  write("spiece.model", small_file().bytes());
  EXPECT_THAT(encode(load(), "ab"), ElementsAre(7, 4));
}

TEST_F(SentencePieceDirectory, LlamaBeginsWithItsToken) {
  write("tokenizer.model", small_file(2).bytes());
  write("tokenizer_config.json", R"({"tokenizer_class": "LlamaTokenizer"})");
  EXPECT_THAT(load().encode_with_special("ab"), ElementsAre(1, 6, 5));
  write("tokenizer_config.json",
        R"({"tokenizer_class": "LlamaTokenizer", "add_bos_token": false, "add_eos_token": true})");
  EXPECT_THAT(load().encode_with_special("ab"), ElementsAre(6, 5, 2));
  EXPECT_THAT(Tokenizer::load(directory_ / "tokenizer.model").encode_with_special("ab"), ElementsAre(6, 5));
}

TEST_F(SentencePieceDirectory, GlmHasTokensOfItsOwn) {
  write("cog-pretrain.model", small_file(2).bytes());
  write("tokenizer_config.json", R"({"tokenizer_class": "GLMChineseTokenizer", "eos_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>", "cls_token": "[CLS]", "mask_token": "[MASK]"})");
  write("added_tokens.json", R"({"<|endoftext|>": 8, "[SEP]": 9, "[CLS]": 10, "[MASK]": 11,
        "<|startofpiece|>": 12, "<|endofpiece|>": 13, "[sMASK]": 14, "[gMASK]": 15})");
  write("special_tokens_map.json",
        R"({"additional_special_tokens": ["<|startofpiece|>", "<|endofpiece|>", "[sMASK]",
        "[gMASK]"]})");
  Tokenizer tokenizer = load();
  EXPECT_THAT(tokenizer.encode_with_special("ab[gMASK]"), ElementsAre(10, 6, 5, 15, 8));
  EXPECT_EQ(tokenizer.special().sop, 12);
  EXPECT_EQ(tokenizer.special().eop, 13);
  EXPECT_EQ(tokenizer.special().smask, 14);
  EXPECT_EQ(tokenizer.special().mask, 11);
}

TEST_F(SentencePieceDirectory, OtherClassesGiveOtherIds) {
  write("sentencepiece.bpe.model", small_file().bytes());
  write("config.json", R"({"model_type": "xlm-roberta"})");
  EXPECT_ERROR(
      load(), data,
      HasSubstr("sentencepiece.bpe.model is not read for this class of tokenizer: found xlm-roberta, "
                "expected LlamaTokenizer, GLMChineseTokenizer or icetk; save the tokenizer with "
                "transformers, which writes a tokenizer.json"));
}

// Pieces of the published vectors at their ids (less 20000), the others without meaning.
std::string icetk_file() {
  const std::string blank = kBlank;
  const std::vector<std::pair<int, std::string>> known = {{0, "<unk>"},
                                                          {1, "<s>"},
                                                          {2, "</s>"},
                                                          {3, "<pad>"},
                                                          {4, "<n>"},
                                                          {5, blank},
                                                          {6, ","},
                                                          {7, "."},
                                                          {35, "!"},
                                                          {115, blank + "I"},
                                                          {344, blank + "am"},
                                                          {932, blank + "World"},
                                                          {2881, blank + "ice"},
                                                          {15955, "tk"},
                                                          {19316, blank + "Hello"},
                                                          {63823, "。"},
                                                          {64097, "世界"},
                                                          {74874, "你好"},
                                                          {74947, "这里是"},
                                                          {1000, "a"}};
  SentencePieceFile file;
  file.pieces.clear();
  for (int id = 0; id < 130000; ++id) file.add("\xEE\x80\x80" + std::to_string(id), -20);
  for (const auto& [id, text] : known) {
    auto& piece = file.pieces[static_cast<std::size_t>(id)];
    piece = {text, -5, Type::normal};
    if (id == 0) piece.type = Type::unknown;
    if (id >= 1 && id <= 3) piece.type = Type::control;
    if (id == 4) piece.type = Type::user_defined;
  }
  file.trainer += number_field(43, 3);  // padding
  return file.bytes();
}

class Icetk : public SentencePieceDirectory {
 protected:
  Icetk() {
    static const std::string file = icetk_file();
    write("ice_text.model", file);
    write("tokenizer_config.json", R"({"tokenizer_class": "icetk"})");
  }
};

TEST_F(Icetk, HasThePublishedIds) {
  Tokenizer tokenizer = load();
  EXPECT_THAT(encode(tokenizer, "Hello World! I am icetk."),
              ElementsAre(39316, 20932, 20035, 20115, 20344, 22881, 35955, 20007));
  // The library's table of characters makes the full-width mark a "!"; this model has none.
  EXPECT_THAT(encode(tokenizer, "你好世界!这里是 icetk。"),
              ElementsAre(20005, 94874, 84097, 20035, 94947, 22881, 35955, 83823));
  EXPECT_EQ(tokenizer.vocabulary_size(), 150088);
  const std::vector<std::pair<const char*, int>> added = {
      {"[MASK]", 150000},  {"[gMASK]", 150001},     {"[sMASK]", 150002},     {"<eod>", 150003},
      {"<sop>", 150004},   {"<eop>", 150005},       {"<ENC>", 150006},       {"<dBLOCK>", 150007},
      {"<|tab|>", 150008}, {"<|blank_2|>", 150009}, {"<|blank_80|>", 150087}};
  for (auto [token, id] : added) EXPECT_EQ(tokenizer.id(token), id) << token;
  const SpecialTokens& special = tokenizer.special();
  EXPECT_EQ(special.mask, 150000);
  EXPECT_EQ(special.gmask, 150001);
  EXPECT_EQ(special.smask, 150002);
  EXPECT_EQ(special.sop, 150004);
  EXPECT_EQ(special.eop, 150005);
  EXPECT_EQ(special.cls, 150006);
  EXPECT_EQ(special.eos, 20002);
  EXPECT_EQ(special.pad, 20003);
  EXPECT_TRUE(tokenizer.is_special(0));  // an image
  EXPECT_TRUE(tokenizer.is_special(19999));
  EXPECT_FALSE(tokenizer.is_special(20007));
}

TEST_F(Icetk, WritesBlanksAsTheirPieces) {
  Tokenizer tokenizer = load();
  auto expect = [&](const std::string& text, std::vector<std::int32_t> ids) {
    EXPECT_EQ(encode(tokenizer, text), ids) << text;
    EXPECT_EQ(tokenizer.decode(ids), text);
  };
  expect("a\na", {20005, 21000, 20004, 21000});
  expect("a\ta", {20005, 21000, 150008, 21000});
  expect("a   a", {20005, 21000, 150010, 21000});
  expect("a" + std::string(83, ' ') + "a", {20005, 21000, 150087, 150010, 21000});
  EXPECT_THAT(encode(tokenizer, "a" + std::string(81, ' ') + "a"),
              ElementsAre(20005, 21000, 150087, 20005, 21000));
  // White space before a mask goes with it, and every part begins with a blank of its own.
  EXPECT_THAT(encode(tokenizer, "a [MASK]a"), ElementsAre(20005, 21000, 150000, 20005, 21000));
}

TEST_F(Icetk, DropsTheDummyPrefixAsTheOriginalDoes) {
  write("tokenizer_config.json", R"({"tokenizer_class": "IceTokenizer", "add_dummy_prefix": false})");
  Tokenizer tokenizer = load();
  EXPECT_THAT(encode(tokenizer, "a a"), ElementsAre(21000, 20005, 21000));
  EXPECT_THAT(encode(tokenizer, " a"), ElementsAre(20005, 21000));
}

TEST_F(Icetk, IsTheFamilysLayout) {
  std::filesystem::remove(directory_ / "tokenizer_config.json");
  write("config.json", R"({"model_type": "glm-130b"})");
  EXPECT_EQ(load().vocabulary_size(), 150088);
  write("ice_text.model", small_file().bytes());
  EXPECT_ERROR(load(), data,
               HasSubstr("the layout icetk has another number of pieces: found 8, expected 130000"));
}

}  // namespace
}  // namespace surprisal
