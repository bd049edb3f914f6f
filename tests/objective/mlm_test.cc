#include "objective/mlm.h"

#include <cmath>
#include <map>

#include "stream/check.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;

Mixture mlm(const MlmOptions& options = {}, std::int64_t length = 64, std::int32_t vocabulary = 100) {
  return Mixture("mlm", {.mlm = options}, word_tokenizer(vocabulary), length);
}

// The sample before masking.
Ids original(const Stream& sample) {
  Ids tokens = sample.token;
  for (const Target& target : sample.target) tokens[target.row] = target.id;
  return tokens;
}

// Those without a target too.
std::vector<Stream> every_sample(const Mixture& mixture, const TokenCorpus& corpus) {
  std::vector<Stream> samples;
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    SampleKey key{.seed = 1, .epoch = 0, .document = document};
    auto size = static_cast<std::int64_t>(corpus.document(document).tokens.size());
    for (std::int64_t cursor = 0; cursor < size; ++key.index) {
      cursor = mixture.build(corpus, key, cursor, samples.emplace_back());
    }
  }
  return samples;
}

double round_half_even(double value) {
  double floor = std::floor(value), rest = value - floor;
  if (rest != 0.5) return rest < 0.5 ? floor : floor + 1;
  return std::fmod(floor, 2) == 0 ? floor : floor + 1;
}

TEST(Mlm, LaysTheTextInTheTemplate) {
  TokenCorpus corpus = corpus_of({{11, 12, 13, 14, 15}});
  auto samples = samples_of(corpus, mlm({}, 5));
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(original(samples[0]), (Ids{kCls, 11, 12, 13, kSep}));
  EXPECT_EQ(original(samples[1]), (Ids{kCls, 14, 15, kSep}));
  for (const Stream& sample : samples) {
    check_stream(sample, {.vocabulary = 100, .positions = 5, .segments = 1}, "mlm");
    for (std::int32_t row = 0; row < sample.size(); ++row) {
      EXPECT_EQ(sample.position[row], row);
      EXPECT_EQ(sample.visible[row], (Interval{0, sample.size()}));
    }
  }
}

TEST(Mlm, WorksWithoutATemplate) {
  Tokenizer tokenizer = Tokenizer::from_json(
      fmt::format(R"({{"added_tokens":[{}],"normalizer":null,"pre_tokenizer":null,"post_processor":null,
        "decoder":null,"model":{{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
        "max_input_chars_per_word":100,"vocab":{{"[PAD]":0,"[UNK]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4{}}}}}}})",
                  special_tokens_json({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}), words_json(5, 100)),
      "", "plain");
  auto samples = samples_of(corpus_of({{11, 12, 13}}), Mixture("mlm", {}, tokenizer, 2));
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(original(samples[0]), (Ids{11, 12}));
  EXPECT_EQ(original(samples[1]), (Ids{13}));
}

TEST(Mlm, WindowsHoldTheWholeText) {
  TokenCorpus corpus = random_corpus(500, 500, 100, 0);
  Ids text, wanted;
  for (const Stream& sample : every_sample(mlm(), corpus)) {
    Ids tokens = original(sample);
    EXPECT_LE(tokens.size(), 64u);
    EXPECT_EQ(tokens.front(), kCls);
    EXPECT_EQ(tokens.back(), kSep);
    text.insert(text.end(), tokens.begin() + 1, tokens.end() - 1);
  }
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    auto tokens = corpus.document(document).tokens;
    wanted.insert(wanted.end(), tokens.begin(), tokens.end());
  }
  EXPECT_EQ(text, wanted);
}

// Over more than 1e6 tokens: counts follow the formula, special tokens are never targets,
// and 80/10/10.
TEST(Mlm, StatisticsOfAMillionTokens) {
  TokenCorpus corpus = random_corpus(5000, 500, 100, 0);  // ids from 0: special ones occur in the text too
  ASSERT_GT(corpus.tokens(), 1000000u);
  double targets = 0, masked = 0, kept = 0, replaced = 0, first_half = 0;
  std::map<std::int32_t, double> drawn;
  for (const Stream& sample : every_sample(mlm(), corpus)) {
    Ids tokens = original(sample);
    double candidates = 0;
    for (std::int32_t id : tokens) candidates += id >= kFirstWord;
    EXPECT_EQ(static_cast<double>(sample.target.size()),
              std::min(candidates, std::max(1.0, round_half_even(0.15 * sample.size()))));
    for (const Target& target : sample.target) {
      std::int32_t shown = sample.token[target.row];
      ASSERT_GE(target.id, kFirstWord);
      ++targets;
      masked += shown == kMask;
      kept += shown == target.id;
      replaced += shown != kMask && shown != target.id;
      first_half += 2 * target.row < sample.size();
      if (shown != kMask && shown != target.id) ++drawn[shown];
    }
  }
  ASSERT_GT(targets, 100000);
  EXPECT_TRUE(within_three_sigma(masked, targets, 0.8)) << masked / targets;
  // A random token is one of 94 (ids 5 to 99 without the hole), the original as likely as another.
  EXPECT_TRUE(within_three_sigma(kept, targets, 0.1 + 0.1 / 94)) << kept / targets;
  EXPECT_TRUE(within_three_sigma(replaced, targets, 0.1 * 93 / 94)) << replaced / targets;
  EXPECT_TRUE(within_three_sigma(first_half, targets, 0.5)) << first_half / targets;
  EXPECT_EQ(drawn.size(), 94u);
  EXPECT_EQ(drawn.count(kHole), 0u);
  EXPECT_GE(drawn.begin()->first, kFirstWord);
  double chi_square = 0;
  for (const auto& [id, count] : drawn) chi_square += std::pow(count - replaced / 94, 2) / (replaced / 94);
  EXPECT_LT(chi_square, 93 + 3 * std::sqrt(2 * 93.0));
}

TEST(Mlm, CountsHalvesToEven) {
  // 0.25 of 10 rows is 2.5, of 14 rows 3.5, of 2 + 1 rows 0.75; at least one, at most the candidates.
  auto count = [](std::size_t tokens, double probability) {
    TokenCorpus corpus = corpus_of({Ids(tokens, 50)});
    return samples_of(corpus, mlm({.probability = probability}))[0].target.size();
  };
  EXPECT_EQ(count(8, 0.25), 2u);
  EXPECT_EQ(count(12, 0.25), 4u);
  EXPECT_EQ(count(1, 0.25), 1u);
  EXPECT_EQ(count(20, 1e-9), 1u);
  EXPECT_EQ(count(20, 1.0), 20u);
}

TEST(Mlm, EveryRowIsEquallyLikely) {
  TokenCorpus corpus = corpus_of({Ids(10, 50)});
  Mixture mixture = mlm({.probability = 0.25});
  std::vector<double> hits(12);
  constexpr std::uint32_t kEpochs = 20000;
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    auto samples = samples_of(corpus, mixture, 1, epoch);
    for (const Target& target : samples[0].target) ++hits[target.row];
  }
  EXPECT_EQ(hits[0] + hits[11], 0);
  for (int row = 1; row <= 10; ++row) EXPECT_TRUE(within_three_sigma(hits[row], kEpochs, 0.3)) << row;
}

TEST(Mlm, BernoulliDrawsEachTokenAlone) {
  TokenCorpus corpus = random_corpus(3000, 800, 100);
  double targets = 0, tokens = 0;
  std::map<std::size_t, int> counts;
  for (const Stream& sample : samples_of(corpus, mlm({.count = "bernoulli"}))) {
    ASSERT_GE(sample.target.size(), 1u);
    if (sample.size() != 64) continue;
    ++counts[sample.target.size()];
    targets += static_cast<double>(sample.target.size());
    tokens += sample.size() - 2;
  }
  ASSERT_GT(tokens, 1000000);
  // At least one: of 62 tokens none would be chosen with probability 0.85^62 = 4e-5, and then one is.
  EXPECT_TRUE(within_three_sigma(targets, tokens, 0.15 + std::pow(0.85, 62) / 62)) << targets / tokens;
  EXPECT_GT(counts.size(), 10u);  // the count itself varies: its standard deviation is 2.8
  TokenCorpus one = corpus_of({{50}});
  EXPECT_EQ(samples_of(one, mlm({.probability = 1e-9, .count = "bernoulli"}))[0].target.size(), 1u);
}

TEST(Mlm, IsDrawnAnewForEveryEpochSampleAndSeed) {
  TokenCorpus corpus = corpus_of({Ids(62 * 2, 50)});
  auto rows = [](const Stream& sample) {
    Ids found;
    for (const Target& target : sample.target) found.push_back(target.row);
    return found;
  };
  auto first = samples_of(corpus, mlm(), 1, 0);
  EXPECT_EQ(first, samples_of(corpus, mlm(), 1, 0));
  EXPECT_NE(rows(first[0]), rows(first[1]));
  EXPECT_NE(rows(first[0]), rows(samples_of(corpus, mlm(), 1, 1)[0]));
  EXPECT_NE(rows(first[0]), rows(samples_of(corpus, mlm(), 2, 0)[0]));
}

TEST(Mlm, SharesOfReplacementsAreSettable) {
  TokenCorpus corpus = random_corpus(50, 500, 100);
  for (const Stream& sample : samples_of(corpus, mlm({.mask = 1, .random = 0}))) {
    for (const Target& target : sample.target) EXPECT_EQ(sample.token[target.row], kMask);
  }
  for (const Stream& sample : samples_of(corpus, mlm({.mask = 0, .random = 0}))) {
    for (const Target& target : sample.target) EXPECT_EQ(sample.token[target.row], target.id);
  }
  int same = 0, all = 0;
  for (const Stream& sample : samples_of(corpus, mlm({.mask = 0, .random = 1}))) {
    for (const Target& target : sample.target) same += sample.token[target.row] == target.id, ++all;
  }
  EXPECT_LT(same, all / 20);
}

TEST(Mlm, WindowOfSpecialTokensAloneHasNoTarget) {
  TokenCorpus corpus = corpus_of({{kUnk, kUnk}, {kUnk, 50}});
  auto samples = samples_of(corpus, mlm());
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].sequence[0].document, 1u);
  EXPECT_EQ(samples[0].target[0].row, 2);
}

TEST(Mlm, NeedsAMaskToken) {
  EXPECT_ERROR(Mixture("mlm", {}, text_tokenizer(), 8), usage,
               "objective mlm needs a tokenizer with a mask token: found one with bos <|endoftext|>, eos "
               "<|endoftext|>; `surprisal tokenizer train --type wordpiece` makes one that has it");
  EXPECT_ERROR(Mixture("mlm", {}, word_tokenizer(5), 8), usage,
               testing::HasSubstr("objective mlm needs a tokenizer with tokens that are not special"));
}

TEST(Mlm, RefusesImpossibleOptions) {
  EXPECT_ERROR(mlm({}, 2), usage,
               "sequence length is impossible for objective mlm: found 2, expected at least 3 and at most "
               "2147483647");
  EXPECT_ERROR(mlm({.probability = 1.5}), usage,
               "objective.mlm.probability is out of range: found 1.5, expected a number in [0, 1]");
  EXPECT_ERROR(mlm({.mask = std::nan("")}), usage,
               "objective.mlm.mask is out of range: found nan, expected a number in [0, 1]");
  EXPECT_ERROR(mlm({.random = -0.5}), usage,
               "objective.mlm.random is out of range: found -0.5, expected a number in [0, 1]");
  EXPECT_ERROR(mlm({.mask = 0.75, .random = 0.5}), usage,
               "objective.mlm.mask + objective.mlm.random is out of range: found 1.25, expected at most 1");
  EXPECT_ERROR(mlm({.count = "fix"}), usage,
               "objective.mlm.count is unknown: found fix, expected fixed or bernoulli");
}

}  // namespace
}  // namespace surprisal
