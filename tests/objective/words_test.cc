#include "objective/words.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/json.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

// A byte-level BPE of all 256 bytes, the spellings given, and <mask> as an added token.
Tokenizer byte_level(const std::vector<std::string>& spellings) {
  Json vocabulary{{"<mask>", 0}};
  std::int32_t id = 1;
  for (int byte = 0; byte < 256; ++byte) {
    std::string character;  // GPT-2's table: printable bytes for themselves, the others from U+0100 on
    static int moved;
    if (byte == 0) moved = 0;
    bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    int point = printable ? byte : 256 + moved++;
    if (point < 0x80) {
      character = static_cast<char>(point);
    } else {
      character = {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 0x3F))};
    }
    vocabulary[character] = id++;
  }
  for (const std::string& spelling : spellings) vocabulary[spelling] = id++;
  Json root = parse_json(text_tokenizer().tokenizer_json(), "test");
  root["model"]["vocab"] = vocabulary;
  root["added_tokens"][0]["content"] = "<mask>";
  return Tokenizer::from_json(root.dump(), R"({"mask_token":"<mask>"})", "test");
}

// The words that tokens of these spellings make, joined by |.
std::string words(const Tokenizer& tokenizer, const std::vector<std::string>& spellings) {
  std::vector<std::int32_t> ids;
  for (const std::string& spelling : spellings) ids.push_back(tokenizer.id(spelling).value());
  std::vector<bool> begins = WordFinder("unit", tokenizer).find(ids);
  std::string text;
  for (std::size_t i = 0; i < ids.size(); ++i) text += (begins[i] && i > 0 ? "|" : "") + spellings[i];
  return text;
}

TEST(Words, WordPieceContinuesByItsPrefix) {
  std::vector<std::int32_t> ids = {6, 9, 11, 8, 10, 9};
  EXPECT_EQ(WordFinder("unit", piece_tokenizer()).find(ids),
            (std::vector<bool>{true, false, false, true, true, false}));
  ids = {9, 11, 8};
  EXPECT_EQ(WordFinder("unit", piece_tokenizer()).find(ids), (std::vector<bool>{true, false, true}));
}

TEST(Words, ByteLevelWordsAreThoseOfItsPattern) {
  Tokenizer tokenizer =
      byte_level({"The", "Ġcat", "s", "Ġ", "Ġsat", "!!", "12", "Ġ12", "'t", "don", "Ġ\"", "ĊĊ", "ĠĠ", "ing"});
  EXPECT_EQ(words(tokenizer, {"The", "Ġcat", "s", "Ġsat", "ing"}), "The|Ġcats|Ġsating");
  EXPECT_EQ(words(tokenizer, {"The", "Ġcat", ",", "Ġsat", "!!", "!"}), "The|Ġcat|,|Ġsat|!!!");
  EXPECT_EQ(words(tokenizer, {"The", "12", "12", "s", "Ġ12", "12"}), "The|1212|s|Ġ1212");
  EXPECT_EQ(words(tokenizer, {"don", "'t", "Ġ\"", "The", "\""}), "don|'t|Ġ\"|The|\"");
  EXPECT_EQ(words(tokenizer, {"The", "Ġ", "s", "ing"}), "The|Ġsing");  // a blank of its own token
  EXPECT_EQ(words(tokenizer, {"The", "Ċ", "s"}), "The|Ċ|s");           // but no other white space
  EXPECT_EQ(words(tokenizer, {"The", "ĊĊ", "Ċ", "The"}), "The|ĊĊĊ|The");
  EXPECT_EQ(words(tokenizer, {"The", "ĠĠ", "Ġcat"}), "The|ĠĠ|Ġcat");
  EXPECT_EQ(words(tokenizer, {"The", "Ġ", "Ġ", "s"}), "The|Ġ|Ġs");
  EXPECT_EQ(words(tokenizer, {"Ġ"}), "Ġ");
}

// A character may be of several tokens; 你 is E4 BD A0, 好 E5 A5 BD, é C3 A9.
TEST(Words, ByteLevelWordsKeepCharactersWhole) {
  Tokenizer tokenizer = byte_level({"ä½", "ł", "å¥½", "caf", "ä½łå¥½", "ãĢĤ"});
  EXPECT_EQ(words(tokenizer, {"ä½", "ł", "å¥½"}), "ä½ł|å¥½");
  EXPECT_EQ(words(tokenizer, {"caf", "Ã", "©", "s"}), "cafÃ©s");
  EXPECT_EQ(words(tokenizer, {"s", "ä½", "ł", "s"}), "s|ä½ł|s");
  EXPECT_EQ(words(tokenizer, {"ä½łå¥½", "å¥½", "ãĢĤ"}), "ä½łå¥½|å¥½|ãĢĤ");
  EXPECT_EQ(words(tokenizer, {"Ġ", "ä½", "ł"}), "Ġä½ł");
  EXPECT_EQ(words(tokenizer, {"ł", "s"}), "łs");  // a character that the window cut off
}

// A Unigram tokenizer of these pieces with Metaspace, or with the decoder of Llama's kind, and byte fallback.
Tokenizer unigram(const std::vector<std::string>& spellings, bool metaspace) {
  Json pieces = Json::array({{"<unk>", 0.0}, {"<mask>", 0.0}});
  for (const std::string& spelling : spellings) pieces.push_back({spelling, -1.5});
  for (int byte = 0; byte < 256; ++byte) pieces.push_back({fmt::format("<0x{:02X}>", byte), -9.0});
  const Json space{
      {"type", "Metaspace"}, {"replacement", "▁"}, {"prepend_scheme", "always"}, {"split", true}};
  const Json replace{{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}};
  Json root = parse_json(text_tokenizer().tokenizer_json(), "test");
  root["pre_tokenizer"] = space;
  root["decoder"] =
      metaspace ? space
                : Json{{"type", "Sequence"},
                       {"decoders", Json::array({replace, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}})}};
  root["model"] = {{"type", "Unigram"}, {"unk_id", 0}, {"vocab", pieces}, {"byte_fallback", true}};
  root["added_tokens"][0]["content"] = "<mask>";
  root["added_tokens"][0]["id"] = 1;
  return Tokenizer::from_json(root.dump(), R"({"mask_token":"<mask>"})", "test");
}

// Pieces that begin with ▁ begin words; so do scripts without blanks and marks, as with byte-level BPE.
TEST(Words, ABlankThatIsSpeltBeginsAWord) {
  for (bool metaspace : {true, false}) {
    Tokenizer tokenizer = unigram(
        {"▁The", "▁cat", "s", "▁", "▁sat", "ing", ",", "!!", "▁12", "12", "▁你", "好", "今天", "▁\"", "s▁"},
        metaspace);
    EXPECT_EQ(words(tokenizer, {"▁The", "▁cat", "s", "▁sat", "ing"}), "▁The|▁cats|▁sating");
    EXPECT_EQ(words(tokenizer, {"▁", "s", "ing", "▁", "12"}), "▁sing|▁12");
    EXPECT_EQ(words(tokenizer, {"▁The", "▁cat", ",", "▁sat", "!!"}), "▁The|▁cat|,|▁sat|!!");
    EXPECT_EQ(words(tokenizer, {"▁\"", "s", "▁12", "12", "s"}), "▁\"|s|▁1212|s");
    EXPECT_EQ(words(tokenizer, {"▁你", "好", "今天", "s"}), "▁你|好|今天|s");
    // 你 is E4 BD A0.
    EXPECT_EQ(words(tokenizer, {"s", "<0xE4>", "<0xBD>", "<0xA0>", "s"}), "s|<0xE4><0xBD><0xA0>|s");
    EXPECT_EQ(words(tokenizer, {"▁The", "<mask>", "s"}), "▁The|<mask>|s");
    // A blank at the end of a piece does not hide where the next word begins.
    EXPECT_EQ(words(tokenizer, {"▁cat", "s▁", "ing", "s"}), "▁cats▁|ings");
  }
}

// Those of real files: every word of a text begins where a blank stands before it.
TEST(Words, OfFilesWithUnigramAndSentencePiece) {
  for (const char* file : {"tokenizers/albert/tokenizer.json", "tokenizers/t5/tokenizer.json",
                           "tokenizers/xlm_roberta/tokenizer.json", "tokenizers/mbart/tokenizer.json",
                           "tokenizers/llama2/tokenizer.json", "sentencepiece/unigram_bytes.model",
                           "sentencepiece/bpe_llama.model"}) {
    SCOPED_TRACE(file);
    const Tokenizer tokenizer = Tokenizer::load(std::string(SURPRISAL_TEST_DATA "/golden/") + file);
    std::vector<std::int32_t> ids;
    tokenizer.encode("the best in the list", ids);
    EXPECT_GT(ids.size(), 5u);
    const std::vector<bool> begins = WordFinder("unit", tokenizer).find(ids);
    std::string cut;
    for (std::size_t i = 0; i < ids.size(); ++i)
      cut += (begins[i] ? "|" : " ") + std::string(tokenizer.token(ids[i]));
    EXPECT_EQ(std::count(begins.begin(), begins.end(), true), 5) << cut;
  }
}

TEST(Words, OtherTokenizersAreRefused) {
  Json root = parse_json(text_tokenizer().tokenizer_json(), "test");
  root["pre_tokenizer"] = nullptr;
  root["decoder"] = nullptr;
  Tokenizer plain = Tokenizer::from_json(root.dump(), "", "test");
  EXPECT_ERROR(
      WordFinder("objective.mlm.unit = \"word\"", plain), usage,
      "objective.mlm.unit = \"word\" needs a tokenizer whose tokens tell where words begin: found one "
      "of type BPE, expected WordPiece, byte-level BPE, or a character for blanks (Metaspace); mask single "
      "tokens (objective.mlm.unit = "
      "\"token\")");
}

}  // namespace
}  // namespace surprisal
