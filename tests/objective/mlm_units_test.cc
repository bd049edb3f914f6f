// Whole words and spans as mlm predicts them.
#include <cmath>
#include <map>

#include "objective/mlm.h"
#include "stream/check.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;

Mixture mlm(const MlmOptions& options, std::int64_t length = 64, std::int32_t vocabulary = 100) {
  return Mixture("mlm", {.mlm = options}, piece_tokenizer(vocabulary), length);
}

struct Sample {
  Ids original;
  std::vector<bool> predicted;
  const Stream& stream;

  explicit Sample(const Stream& given) : original(given.token), predicted(given.token.size()), stream(given) {
    for (const Target& target : given.target) {
      original[target.row] = target.id;
      predicted[target.row] = true;
    }
  }
  // Odd ids continue a word, see piece_tokenizer; a word ends at a special token.
  bool continues(std::int32_t row) const {
    return original[row] > kHole && original[row] % 2 == 1 && original[row - 1] >= kFirstWord;
  }
};

TEST(MlmWords, AreMaskedWhole) {
  TokenCorpus corpus = random_corpus(3000, 500, 100, 0);  // special tokens stand in the text, too
  ASSERT_GT(corpus.tokens(), 500000u);
  double targets = 0, masked = 0, kept = 0, reached = 0, samples = 0, mixed = 0, pairs = 0;
  for (const Stream& stream : samples_of(corpus, mlm({.unit = "word"}))) {
    Sample sample(stream);
    check_stream(stream, {.vocabulary = 100, .positions = 64, .segments = 1}, "mlm");
    std::size_t count = static_cast<std::size_t>(std::max(1.0, std::nearbyint(0.15 * stream.size())));
    ++samples;
    reached += stream.target.size() == count;
    if (stream.size() > 30) {
      EXPECT_LE(stream.target.size(), count);
    }
    for (std::int32_t row = 1; row + 1 < stream.size(); ++row) {
      if (sample.continues(row)) {
        ASSERT_EQ(sample.predicted[row], sample.predicted[row - 1]) << row;
      }
      if (!sample.predicted[row]) continue;
      ++targets;
      ASSERT_GE(sample.original[row], kFirstWord);
      masked += stream.token[row] == kMask;
      kept += stream.token[row] == sample.original[row];
      if (!sample.continues(row)) continue;
      ++pairs;
      mixed += (stream.token[row] == kMask) != (stream.token[row - 1] == kMask);
    }
  }
  ASSERT_GT(targets, 50000);
  EXPECT_GT(reached / samples, 0.95);  // words of one token fill what is left
  // 80/10/10 is drawn for each token, also within a word.
  EXPECT_TRUE(within_three_sigma(masked, targets, 0.8)) << masked / targets;
  EXPECT_TRUE(within_three_sigma(kept, targets, 0.1 + 0.1 / 94)) << kept / targets;
  EXPECT_TRUE(within_three_sigma(mixed, pairs, 2 * 0.8 * 0.2)) << mixed / pairs;
}

// A word of 2 among words of 1 is as likely as they are where both fit.
TEST(MlmWords, AreAllAlike) {
  TokenCorpus corpus = corpus_of({{6, 8, 10, 9, 12, 14, 16, 18, 20, 22}});  // 10 and 9 are one word
  Mixture mixture = mlm({.unit = "word"});
  std::vector<double> hits(12);
  constexpr std::uint32_t kEpochs = 20000;
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    auto samples = samples_of(corpus, mixture, 1, epoch);
    for (const Target& target : samples[0].target) ++hits[target.row];
  }
  // 2 of 12 rows: the word of 2 where it is drawn first of 9; another word where it is one of the first two
  // drawn that fit: 1/9 first, or second to one of the 7 others, or third behind one and the word of 2.
  double large = 1.0 / 9, small = 1.0 / 9 + 7.0 / 9 / 8 + 7.0 / 9 / 8 / 7;
  EXPECT_NEAR(2 * large + 8 * small, 2, 1e-12);
  for (int row = 1; row <= 10; ++row)
    EXPECT_TRUE(within_three_sigma(hits[row], kEpochs, row == 3 || row == 4 ? large : small)) << row;
  EXPECT_EQ(hits[3], hits[4]);
}

TEST(MlmWords, BernoulliDrawsEachWordAlone) {
  TokenCorpus corpus = random_corpus(1500, 800, 100);
  double targets = 0, tokens = 0, words = 0, hits = 0;
  for (const Stream& stream : samples_of(corpus, mlm({.unit = "word", .count = "bernoulli"}))) {
    if (stream.size() != 64) continue;
    Sample sample(stream);
    for (std::int32_t row = 1; row < 63; ++row) {
      ++tokens;
      targets += sample.predicted[row];
      if (sample.continues(row)) {
        ASSERT_EQ(sample.predicted[row], sample.predicted[row - 1]);
      } else {
        ++words;
        hits += sample.predicted[row];
      }
    }
  }
  ASSERT_GT(tokens, 500000);
  EXPECT_TRUE(within_three_sigma(hits, words, 0.15 + std::pow(0.85, 31) / 31)) << hits / words;
  EXPECT_NEAR(targets / tokens, 0.15, 0.005);
}

// Also where the count is 1 and every word is larger.
TEST(MlmWords, EverySequenceHasATarget) {
  auto samples = samples_of(corpus_of({{6, 9, 11, 13}, {9, 11}, {6}}), mlm({.unit = "word"}));
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].target.size(), 4u);
  EXPECT_EQ(samples[1].target.size(), 2u);
  EXPECT_EQ(samples[2].target.size(), 1u);
}

TEST(MlmSpans, HoldTheShareAndAreReplacedAsOne) {
  TokenCorpus corpus = random_corpus(4000, 500, 100, 0);
  double runs = 0, masked = 0, kept = 0, random = 0, targets = 0;
  for (const Stream& stream : samples_of(corpus, mlm({.unit = "span"}))) {
    Sample sample(stream);
    double candidates = 0;
    for (std::int32_t id : sample.original) candidates += id >= kFirstWord;
    EXPECT_EQ(static_cast<double>(stream.target.size()),
              std::min(candidates, std::ceil(0.15 * stream.size())));
    targets += static_cast<double>(stream.target.size());
    for (std::int32_t row = 1; row + 1 < stream.size(); ++row) {
      if (!sample.predicted[row] || sample.predicted[row - 1]) continue;
      std::int32_t end = row;
      int masks = 0, same = 0;
      for (; sample.predicted[end]; ++end) {
        masks += stream.token[end] == kMask;
        same += stream.token[end] == sample.original[end];
      }
      if (end - row < 3) continue;  // in a run of three a random token is rarely the original thrice
      ++runs;
      ASSERT_TRUE(masks == 0 || masks == end - row);
      masked += masks > 0;
      kept += masks == 0 && same == end - row;
      random += masks == 0 && same < end - row;
    }
  }
  ASSERT_GT(targets, 100000);
  ASSERT_GT(runs, 10000);
  EXPECT_TRUE(within_three_sigma(masked, runs, 0.8)) << masked / runs;
  EXPECT_TRUE(within_three_sigma(kept, runs, 0.1)) << kept / runs;
  EXPECT_TRUE(within_three_sigma(random, runs, 0.1)) << random / runs;
}

// Long sequences at a low rate: spans hardly meet, so runs are spans, of 3.8 words on average, and begin
// words.
TEST(MlmSpans, AreOfThePublishedLength) {
  TokenCorpus corpus = random_corpus(60, 60000, 100);
  double words = 0, spans = 0;
  MlmOptions options{.probability = 0.02, .unit = "span"};
  for (const Stream& stream : samples_of(corpus, mlm(options, 8192))) {
    if (stream.size() != 8192) continue;
    Sample sample(stream);
    std::int32_t open = 0;
    for (std::int32_t row = 1; row < 8191; ++row) {
      if (!sample.predicted[row]) continue;
      bool first = !sample.predicted[row - 1];
      EXPECT_FALSE(first && sample.continues(row)) << row;
      open += first;
      words += !sample.continues(row);
    }
    spans += open;
  }
  ASSERT_GT(spans, 1000);
  // Of 22 spans the last is cut off, and one in twenty meets another: within 4 % of 3.797.
  EXPECT_NEAR(words / spans, 3.797, 0.15) << spans;
}

TEST(MlmSpans, NeverCrossASegment) {
  std::vector<TokenCorpus::Ids> ids(20);
  for (auto& document : ids) {
    for (std::int32_t i = 0; i < 200; ++i) document.tokens.push_back(6 + 2 * (i % 40));
    for (std::uint32_t at = 0; at < 200; at += 10) document.sentences.push_back(at);
  }
  TokenCorpus corpus = TokenCorpus::from_ids(ids);
  for (const Stream& stream :
       samples_of(corpus, Mixture("mlm + sop", {.mlm = {.unit = "span"}}, piece_tokenizer(), 64))) {
    EXPECT_EQ(static_cast<double>(stream.target.size()), std::ceil(0.15 * stream.size()));
    for (const Target& target : stream.target) EXPECT_GE(target.id, kFirstWord);
  }
}

TEST(MlmUnits, RefuseWhatCannotBe) {
  EXPECT_ERROR(mlm({.unit = "sentence"}), usage,
               "objective.mlm.unit is unknown: found sentence, expected token or word or span");
  EXPECT_ERROR(mlm({.unit = "span", .count = "bernoulli"}), usage,
               "objective.mlm.count = \"bernoulli\" has no meaning with spans; leave it out: spans are drawn "
               "until they hold the share of tokens");
  EXPECT_ERROR(
      mlm({.unit = "span", .span_probability = 0}), usage,
      "spans would have no length: found objective.mlm.span_probability 0, span_max_words 10, expected "
      "both above 0");
  EXPECT_ERROR(mlm({.span_probability = 2}), usage, testing::HasSubstr("objective.mlm.span_probability"));
}

}  // namespace
}  // namespace surprisal
