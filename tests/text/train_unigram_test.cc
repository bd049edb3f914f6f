#include "text/train/train_unigram.h"

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "core/json.h"
#include "core/parallel.h"
#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"
#include "text/train/frequent_substrings.h"
#include "text/train/script_runs.h"
#include "text/train/unigram_lattice.h"

namespace surprisal {
namespace {

using testing::ElementsAre;

std::map<std::string, std::uint64_t> substrings(const std::vector<WordCount>& words, std::size_t longest) {
  std::map<std::string, std::uint64_t> result;
  for (const Substring& substring : frequent_substrings(words, longest, 1000))
    result[substring.text] = substring.count;
  return result;
}

TEST(FrequentSubstrings, AreThoseOfASuffixArray) {
  std::vector<WordCount> words = {{"abcab", 3}, {"xabc", 1}, {"zz", 9}};
  // ab: twice in the first word and once in the second; xa and what begins with it occurs once.
  EXPECT_EQ(substrings(words, 16),
            (std::map<std::string, std::uint64_t>{
                {"ab", 7}, {"abc", 4}, {"abcab", 3}, {"bc", 4}, {"bcab", 3}, {"cab", 3}, {"zz", 9}}));
  EXPECT_EQ(substrings(words, 2),
            (std::map<std::string, std::uint64_t>{{"ab", 7}, {"bc", 4}, {"ca", 3}, {"zz", 9}}));
}

TEST(FrequentSubstrings, AreOfCharacters) {
  // The first bytes of é and è are the same.
  std::vector<WordCount> words = {{"aé", 1}, {"aè", 1}, {"xyé", 1}, {"wyé", 1}};
  EXPECT_EQ(substrings(words, 16), (std::map<std::string, std::uint64_t>{{"yé", 2}}));
}

// Every substring that occurs twice and is not always followed by the same character, counted one by one.
TEST(FrequentSubstrings, AgreeWithCountingThemAll) {
  constexpr std::size_t kLongest = 5;
  std::vector<WordCount> words;
  std::uint64_t state = 1;
  for (int i = 0; i < 60; ++i) {
    std::string word;
    for (int k = 0; k < 12; ++k) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      word += static_cast<char>('a' + (state >> 33) % 3);
    }
    words.push_back({word, 1 + static_cast<std::uint64_t>(i) % 4});
  }
  std::map<std::string, std::uint64_t> counts;
  std::map<std::string, std::set<std::string>> followers;  // an end is one of its own
  for (const WordCount& word : words) {
    for (std::size_t begin = 0; begin < word.word.size(); ++begin) {
      for (std::size_t size = 2; size <= kLongest && begin + size <= word.word.size(); ++size) {
        std::string text = word.word.substr(begin, size);
        bool ends = size == kLongest || begin + size == word.word.size();
        counts[text] += word.count;
        followers[text].insert(ends ? "end" : word.word.substr(begin + size, 1));
      }
    }
  }
  std::map<std::string, std::uint64_t> expected;
  for (const auto& [text, next] : followers) {
    bool branches = next.size() > 1 || next.contains("end");
    if (branches && counts[text] > 1) expected[text] = counts[text];
  }
  ASSERT_GT(expected.size(), 100u);
  EXPECT_EQ(substrings(words, kLongest), expected);
}

// Against the sum over all ways to cut the word.
TEST(UnigramLattice, SumsOverAllWays) {
  UnigramLattice lattice({{"a", -1}, {"b", -2}, {"ab", -1.5}, {"ba", -2.5}});
  std::vector<double> expected(4);
  double score = lattice.add_expectations("aba", 2, expected);
  double ways[] = {std::exp(-1.0 - 2 - 1), std::exp(-1.5 - 1), std::exp(-1.0 - 2.5)};  // a b a, ab a, a ba
  double sum = ways[0] + ways[1] + ways[2];
  EXPECT_NEAR(score, std::log(sum), 1e-12);
  EXPECT_NEAR(expected[0], 2 * (2 * ways[0] + ways[1] + ways[2]) / sum, 1e-12);
  EXPECT_NEAR(expected[1], 2 * ways[0] / sum, 1e-12);
  EXPECT_NEAR(expected[2], 2 * ways[1] / sum, 1e-12);
  EXPECT_NEAR(expected[3], 2 * ways[2] / sum, 1e-12);
  double best = 0;
  EXPECT_THAT(lattice.best_path("aba", -1, &best), ElementsAre(2, 0));
  EXPECT_DOUBLE_EQ(best, -2.5);
  EXPECT_THAT(lattice.best_path("ab", 2, &best), ElementsAre(0, 1));
  EXPECT_THAT(lattice.best_path("b", 1, &best), ElementsAre());
}

std::vector<std::string> runs(const std::string& text) {
  Words words = Words::from(AlignedText::from(text));
  ScriptRuns().pre_tokenize(words);
  std::vector<std::string> result;
  for (ByteSpan span : words.spans) result.emplace_back(words.word(span));
  return result;
}

TEST(ScriptRuns, EndWhereTheKindOfCharacterChanges) {
  EXPECT_THAT(runs("▁don't2x"), ElementsAre("▁don", "'", "t", "2", "x"));
  EXPECT_THAT(runs("▁中文abc。"), ElementsAre("▁中文", "abc", "。"));
  EXPECT_THAT(runs("▁e\u0301te\u0301!\u0301"), ElementsAre("▁e\u0301te\u0301", "!\u0301"));
  EXPECT_THAT(runs("a\n\nb"), ElementsAre("a", "\n\n", "b"));
  EXPECT_THAT(runs("▁"), ElementsAre("▁"));
}

class TrainUnigramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      text += "Sentence " + std::to_string(i * 7919 % 10007) + " about Cafés, don't you think?\n";
      if (i % 3 == 0) text += "\n第" + std::to_string(i) + "句话：你好，世界！\n\n";
    }
    file_ = files_.add("a.txt", text);
  }
  TrainedTokenizer train(std::int64_t size, bool byte_fallback = false, const std::string& specials = "") {
    return train_tokenizer({.type = "unigram",
                            .vocab_size = size,
                            .byte_fallback = byte_fallback,
                            .specials = specials,
                            .files = {file_},
                            .progress = {}});
  }
  static Tokenizer load(const TrainedTokenizer& trained) {
    return Tokenizer::from_json(trained.tokenizer_json, trained.tokenizer_config_json, "trained");
  }
  CorpusFiles files_;
  std::string file_;
};

TEST_F(TrainUnigramTest, TheVocabularyHasTheSizeWished) {
  for (std::int64_t size : {100, 150}) {
    TrainedTokenizer trained = train(size);
    EXPECT_EQ(trained.vocab_size, size);
    Tokenizer tokenizer = load(trained);
    EXPECT_EQ(tokenizer.vocabulary_size(), size);
    EXPECT_EQ(tokenizer.special().unk, 0);
    EXPECT_EQ(tokenizer.special().bos, 1);
    EXPECT_EQ(tokenizer.special().eos, 2);
  }
  EXPECT_ERROR(train(30), usage,
               testing::HasSubstr("the vocabulary is too small for the special tokens and the characters"));
}

TEST_F(TrainUnigramTest, TextGoesThereAndBack) {
  Tokenizer tokenizer = load(train(150));
  std::string text = "Sentence 42 about Cafés, don't you think?\n第3句话";
  std::vector<std::int32_t> ids;
  tokenizer.encode(text, ids);
  EXPECT_LT(ids.size(), 20u);
  EXPECT_EQ(tokenizer.decode(ids), text);
  for (const char* piece : {"Sentence", "▁about", "▁think"}) EXPECT_TRUE(tokenizer.id(piece)) << piece;
  // Scores descend.
  Json vocabulary = Json::parse(tokenizer.tokenizer_json())["model"]["vocab"];
  for (std::size_t i = 4; i < vocabulary.size(); ++i) EXPECT_LE(vocabulary[i][1], vocabulary[i - 1][1]);
}

TEST_F(TrainUnigramTest, FallsBackToBytes) {
  Tokenizer tokenizer = load(train(400, true));
  std::vector<std::int32_t> ids;
  tokenizer.encode("you☃", ids);
  EXPECT_EQ(tokenizer.decode(ids), "you☃");
  EXPECT_EQ(tokenizer.id("<0x00>"), 3);
  EXPECT_EQ(tokenizer.token(ids.back()), "<0x83>");
}

TEST_F(TrainUnigramTest, IsTheSameForAnyNumberOfThreads) {
  int before = threads();
  set_threads(1);
  TrainedTokenizer one = train(120);
  set_threads(3);
  TrainedTokenizer three = train(120);
  set_threads(before);
  EXPECT_EQ(one.tokenizer_json, three.tokenizer_json);
}

TEST_F(TrainUnigramTest, GlmsSpecialTokensCount) {
  for (const char* type : {"bpe", "wordpiece", "unigram"}) {
    TrainedTokenizer trained = train_tokenizer(
        {.type = type, .vocab_size = 300, .specials = "glm", .files = {file_}, .progress = {}});
    EXPECT_EQ(trained.vocab_size, 300) << type;
    Tokenizer tokenizer = load(trained);
    EXPECT_EQ(tokenizer.vocabulary_size(), 300) << type;
    EXPECT_TRUE(tokenizer.special().gmask && tokenizer.special().sop && tokenizer.special().cls) << type;
  }
}

TEST_F(TrainUnigramTest, Options) {
  auto refuse = [&](TokenizerTraining training, const char* message) {
    training.files = {file_};
    EXPECT_ERROR(train_tokenizer(training), usage, message);
  };
  refuse({.type = "unigram", .lowercase = true, .files = {}, .progress = {}},
         "a Unigram model keeps case; leave --lowercase out, or train a wordpiece");
  refuse(
      {.type = "bpe", .byte_fallback = true, .files = {}, .progress = {}},
      "only a Unigram model falls back to bytes: found bpe; leave --byte-fallback out, or train a unigram");
  refuse({.type = "bpe", .specials = "bert", .files = {}, .progress = {}},
         "no such special tokens: found bert, expected glm");
}

}  // namespace
}  // namespace surprisal
