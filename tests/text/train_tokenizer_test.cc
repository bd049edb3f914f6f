#include "text/train/train_tokenizer.h"

#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "core/json.h"
#include "core/parallel.h"
#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TrainTokenizerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      text += "Sentence " + std::to_string(i * 7919 % 10007) + " about Cafés, don't you think?\n";
      if (i % 3 == 0) text += "\n第" + std::to_string(i) + "句话：你好，世界！\n\n";
    }
    english_ = files_.add("a.txt.gz", text);
  }
  TrainedTokenizer train(const std::string& type, std::int64_t size, std::vector<std::string> files,
                         bool lowercase = false) {
    return train_tokenizer({.type = type,
                            .vocab_size = size,
                            .lowercase = lowercase,
                            .files = std::move(files),
                            .progress = {}});
  }
  static Tokenizer load(const TrainedTokenizer& trained) {
    return Tokenizer::from_json(trained.tokenizer_json, trained.tokenizer_config_json, "trained");
  }
  // A file of `count` different Chinese characters, the first ones the commonest.
  std::string chinese(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      char32_t c = U'一' + static_cast<char32_t>(i);
      for (int repeat = 0; repeat <= (count - i) / 100; ++repeat) {
        text += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
                 static_cast<char>(0x80 | (c & 63))};
      }
    }
    return files_.add("chinese" + std::to_string(count) + ".txt", text);
  }

  CorpusFiles files_;
  std::string english_;
};

TEST_F(TrainTokenizerTest, VocabularyHasExactlyTheSizeWished) {
  for (std::int64_t size : {257, 258, 300, 1000}) {
    TrainedTokenizer trained = train("bpe", size, {english_});
    EXPECT_EQ(trained.vocab_size, size);
    EXPECT_EQ(load(trained).vocabulary_size(), size);
    EXPECT_EQ(Json::parse(trained.tokenizer_json)["model"]["vocab"].size(), static_cast<std::size_t>(size));
  }
  for (bool lowercase : {false, true}) {
    for (std::int64_t size : {100, 101, 1000}) {
      TrainedTokenizer trained = train("wordpiece", size, {english_}, lowercase);
      EXPECT_EQ(trained.vocab_size, size);
      EXPECT_EQ(load(trained).vocabulary_size(), size);
    }
  }
}

TEST_F(TrainTokenizerTest, TextThatRunsOutGivesFewer) {
  std::string path = files_.add("small.txt", "aab aab b");
  EXPECT_EQ(train("bpe", 1000, {path}).vocab_size, 257 + 4);          // aa or ab, aab, Ġaab, Ġb
  EXPECT_EQ(train("wordpiece", 1000, {path}).vocab_size, 5 + 4 + 2);  // a b ##a ##b, then two merges
}

TEST_F(TrainTokenizerTest, SmallVocabulariesAreRefused) {
  EXPECT_ERROR(
      train("bpe", 256, {english_}), usage,
      "the vocabulary is too small for <|endoftext|> and the 256 bytes: found 256, expected at least 257");
  std::string path = files_.add("small.txt", "aab aab b");
  EXPECT_EQ(train("wordpiece", 9, {path}).vocab_size, 9);
  EXPECT_ERROR(train("wordpiece", 8, {path}), usage,
               "the vocabulary is too small for the special tokens and the characters of the text: found 8, "
               "expected at "
               "least 9");
  EXPECT_ERROR(train("wordpiece", 1004, {chinese(3000)}), usage, HasSubstr("at least 1005"));
}

TEST_F(TrainTokenizerTest, OtherMistakesAreNamed) {
  EXPECT_ERROR(train("words", 300, {english_}), usage,
               "no such type of tokenizer: found words, expected bpe, wordpiece or unigram");
  EXPECT_ERROR(train("bpe", 300, {english_}, true), usage, HasSubstr("lowercase"));
  EXPECT_ERROR(train("bpe", std::int64_t{1} << 40, {english_}), usage, HasSubstr("too large"));
  std::string blank = files_.add("blank.txt", " \n");
  EXPECT_ERROR(train("bpe", 300, {blank}), data, blank + ": no text: every document is blank");
  EXPECT_ERROR(train("wordpiece", 300, {files_.path("none.txt")}), io, HasSubstr("none.txt"));
}

TEST_F(TrainTokenizerTest, ThreadsChangeNothing) {
  int before = threads();
  for (const char* type : {"bpe", "wordpiece"}) {
    set_threads(1);
    TrainedTokenizer one = train(type, 700, {english_, chinese(100)});
    for (int count : {2, 3}) {
      set_threads(count);
      TrainedTokenizer several = train(type, 700, {english_, chinese(100)});
      EXPECT_EQ(several.tokenizer_json, one.tokenizer_json) << type << " " << count;
      EXPECT_EQ(several.tokenizer_config_json, one.tokenizer_config_json);
    }
  }
  set_threads(before);
}

TEST_F(TrainTokenizerTest, ByteLevelIdsAndRoles) {
  TrainedTokenizer trained = train("bpe", 400, {english_});
  Tokenizer tokenizer = load(trained);
  EXPECT_EQ(tokenizer.token(0), "<|endoftext|>");
  EXPECT_EQ(tokenizer.token(1), "!");
  EXPECT_EQ(tokenizer.token(95), "¡");
  EXPECT_EQ(tokenizer.token(256), "Ń");
  EXPECT_TRUE(tokenizer.is_special(0));
  EXPECT_EQ(tokenizer.special().bos, 0);
  EXPECT_EQ(tokenizer.special().eos, 0);
  EXPECT_FALSE(tokenizer.special().mask.has_value());
  std::string text = " any 文 text\n\n\xF0\x9F\x98\x80 at  all";
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, ids);
  EXPECT_EQ(tokenizer.decode(ids), text);
  EXPECT_THAT(tokenizer.encode_with_special("<|endoftext|>"), ElementsAre(0));
}

TEST_F(TrainTokenizerTest, WordPieceIdsRolesAndTemplate) {
  Tokenizer tokenizer = load(train("wordpiece", 400, {english_}, true));
  const char* specials[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  for (std::int32_t id = 0; id < 5; ++id) {
    EXPECT_EQ(tokenizer.token(id), specials[id]);
    EXPECT_TRUE(tokenizer.is_special(id));
  }
  EXPECT_EQ(tokenizer.special().pad, 0);
  EXPECT_EQ(tokenizer.special().unk, 1);
  EXPECT_EQ(tokenizer.special().cls, 2);
  EXPECT_EQ(tokenizer.special().sep, 3);
  EXPECT_EQ(tokenizer.special().mask, 4);
  std::vector<std::int32_t> sentence;
  tokenizer.encode("sentence cafés", sentence);
  EXPECT_EQ(tokenizer.decode(sentence), "sentence cafes");
  EXPECT_THAT(tokenizer.encode_with_special("\xF0\x9F\x98\x80 [MASK]"), ElementsAre(2, 1, 4, 3));
  ASSERT_EQ(tokenizer.pair_template().size(), 5u);
  EXPECT_EQ(tokenizer.pair_template()[4], (TemplatePiece{.sequence = -1, .id = 3, .segment = 1}));
}

TEST_F(TrainTokenizerTest, CasedWordPieceKeepsCaseAndAccents) {
  Tokenizer tokenizer = load(train("wordpiece", 400, {english_}, false));
  std::vector<std::int32_t> ids;
  tokenizer.encode("Sentence Cafés", ids);
  EXPECT_EQ(tokenizer.decode(ids), "Sentence Cafés");
}

// Characters beyond half of the vocabulary are dropped, the rarest first, where merges can take the room ...
TEST_F(TrainTokenizerTest, LargeAlphabetLeavesRoomForMerges) {
  std::string words;
  for (int i = 0; i < 5000; ++i) words.append("w").append(std::to_string(i * 7919 % 100003)).append(" ");
  std::string path = files_.add("words.txt", words);
  TrainedTokenizer trained = train("wordpiece", 3000, {path, chinese(4000)});
  EXPECT_EQ(trained.vocab_size, 3000);
  Tokenizer tokenizer = load(trained);
  EXPECT_TRUE(tokenizer.id("一"));
  EXPECT_TRUE(tokenizer.id("0"));
  EXPECT_FALSE(tokenizer.id("\xE5\xB6\x9F"));  // U+4E00 + 3999
  EXPECT_TRUE(tokenizer.id("w1"));
}

// ... and kept where the text has no pairs to merge.
TEST_F(TrainTokenizerTest, LargeAlphabetFillsTheVocabularyWhereNothingMerges) {
  EXPECT_EQ(train("wordpiece", 3000, {chinese(4000)}).vocab_size, 3000);
  EXPECT_EQ(train("wordpiece", 5000, {chinese(4000)}).vocab_size, 4005);
}

TEST_F(TrainTokenizerTest, ReadsRecordsAsDocuments) {
  std::string text = files_.add("b.txt", "one two\nthree\n\nfour");
  std::string records = files_.add("b.jsonl.gz", "{\"text\": \"one two\\nthree\"}\n{\"text\": \"four\"}\n");
  EXPECT_EQ(train("bpe", 270, {records}).tokenizer_json, train("bpe", 270, {text}).tokenizer_json);
}

// Prompt and completion are texts, each of its own, as they are tokenised.
TEST_F(TrainTokenizerTest, ReadsPairsAsTheirTexts) {
  std::string texts = files_.add("b.txt", "one two\n\nthree\n\nfour");
  std::string pairs = files_.add("b.jsonl",
                                 "{\"prompt\": \"one two\", \"completion\": \"three\"}\n"
                                 "{\"prompt\": \"\", \"completion\": \"four\"}\n");
  for (const char* type : {"bpe", "wordpiece"}) {
    EXPECT_EQ(train(type, 270, {pairs}).tokenizer_json, train(type, 270, {texts}).tokenizer_json) << type;
  }
  EXPECT_EQ(train("bpe", 270, {pairs}).corpus.pairs, 2u);
}

TEST_F(TrainTokenizerTest, ReportsBothPhases) {
  std::vector<std::string> phases;
  train_tokenizer({.type = "bpe",
                   .vocab_size = 600,
                   .lowercase = false,
                   .files = {english_},
                   .progress = [&](const char* phase, std::uint64_t done, std::uint64_t total) {
                     EXPECT_LE(done, total);
                     if (phases.empty() || phases.back() != phase) phases.emplace_back(phase);
                   }});
  EXPECT_THAT(phases, ElementsAre("counting words", "merging"));
}

}  // namespace
}  // namespace surprisal
