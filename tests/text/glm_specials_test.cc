#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "surprisal/tokenizer.h"

#include "tests/core/error_matchers.h"
#include "tests/text/tokenizer_json.h"

namespace surprisal {
namespace {

using testing::ElementsAre;

void expect_ids(const Tokenizer& tokenizer, const std::vector<std::pair<const char*, int>>& ids) {
  for (auto [token, id] : ids) {
    EXPECT_EQ(tokenizer.id(token), id) << token;
    EXPECT_TRUE(tokenizer.is_special(id)) << token;
  }
}

// As GLM-10B's behind GPT-2's 50257.
TEST(GlmSpecials, BehindAByteLevelVocabulary) {
  Tokenizer tokenizer = add_glm_specials(tokenizer_of(
      byte_level_json({{"a", "b"}}),
      R"({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"})"));
  expect_ids(tokenizer, {{"<|startofpiece|>", 258},
                         {"<|endofpiece|>", 259},
                         {"[CLS]", 260},
                         {"[MASK]", 261},
                         {"[SEP]", 262},
                         {"[UNK]", 263},
                         {"[gMASK]", 264},
                         {"[sMASK]", 265},
                         {"[dBLOCK]", 266}});
  EXPECT_EQ(tokenizer.vocabulary_size(), 267);
  const SpecialTokens& special = tokenizer.special();
  EXPECT_EQ(special.sop, 258);
  EXPECT_EQ(special.eop, 259);
  EXPECT_EQ(special.cls, 260);
  EXPECT_EQ(special.mask, 261);
  EXPECT_EQ(special.gmask, 264);
  EXPECT_EQ(special.smask, 265);
  EXPECT_EQ(special.eos, 0);
  EXPECT_EQ(special.pad, 0);
  EXPECT_THAT(tokenizer.encode_with_special("ab"), ElementsAre(260, 257, 0));
  // White space before a mask goes with it.
  EXPECT_EQ(encode(tokenizer, "ab \n[gMASK]"), (std::vector<std::int32_t>{257, 264}));
  EXPECT_EQ(encode(tokenizer, "ab[MASK]ab"), (std::vector<std::int32_t>{257, 261, 257}));
}

TEST(GlmSpecials, KeepWhatIsThere) {
  Tokenizer tokenizer = add_glm_specials(tokenizer_of(wordpiece_json()));
  expect_ids(tokenizer, {{"[MASK]", 4},
                         {"[CLS]", 2},
                         {"<|startofpiece|>", 12},
                         {"<|endofpiece|>", 13},
                         {"[gMASK]", 14},
                         {"[sMASK]", 15},
                         {"[dBLOCK]", 16}});
  EXPECT_EQ(tokenizer.vocabulary_size(), 17);
  EXPECT_EQ(tokenizer.special().eos, 0);  // BERT pads with what ends a text
  EXPECT_THAT(tokenizer.encode_with_special("ab"), ElementsAre(2, 7, 0));
  Tokenizer again = add_glm_specials(tokenizer);
  EXPECT_EQ(again.vocabulary_size(), 17);
  EXPECT_EQ(again.special().sop, 12);
}

TEST(GlmSpecials, AddAnEndOfTextWhereThereIsNone) {
  Json root = {{"model", {{"type", "WordLevel"}, {"vocab", {{"a", 0}, {"?", 1}}}, {"unk_token", "?"}}}};
  Tokenizer tokenizer = add_glm_specials(tokenizer_of(root));
  EXPECT_EQ(tokenizer.id("<|endoftext|>"), 2);
  EXPECT_EQ(tokenizer.special().eos, 2);
  EXPECT_EQ(tokenizer.special().sop, 3);
  root["model"]["vocab"]["[gMASK]"] = 2;
  EXPECT_ERROR(add_glm_specials(tokenizer_of(root)), data,
               "a special token is there already, and is not special: found [gMASK]");
}

// "sop" is a word too.
TEST(GlmSpecials, AreSpecial) {
  Json root = {{"model", {{"type", "WordLevel"}, {"vocab", {{"sop", 0}, {"?", 1}}}, {"unk_token", "?"}}}};
  EXPECT_EQ(tokenizer_of(root).special().sop, std::nullopt);
  root["added_tokens"] = Json::array({added_token(0, "sop")});
  EXPECT_EQ(tokenizer_of(root).special().sop, 0);
}

TEST(GlmSpecials, HaveACommand) {
  EXPECT_EQ(glm_specials_command(),
            "surprisal tokenizer add-specials --specials glm --tokenizer DIR --out DIR");
}

}  // namespace
}  // namespace surprisal
