// Mask rates that change over a run.
#include <cmath>

#include "objective/mlm.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

Mixture mlm(const MlmOptions& options) {
  return Mixture("mlm", {.mlm = options}, word_tokenizer(), 64);
}

std::vector<Stream> samples_at(const TokenCorpus& corpus, const Mixture& mixture, double progress) {
  std::vector<Stream> samples;
  for_each_sample(
      corpus, mixture, 1, 0, true,
      [&](const Stream& sample) {
        samples.push_back(sample);
        return true;
      },
      progress);
  return samples;
}

TEST(MlmSchedule, RatesFollowALine) {
  TokenCorpus corpus = random_corpus(1500, 500, 100);
  Mixture mixture = mlm({.probability = 0.4,
                         .final_probability = 0.2,
                         .mask = 0.5,
                         .final_mask = 1,
                         .random = 0.3,
                         .final_random = 0,
                         .count = "bernoulli"});
  for (double progress : {0.0, 0.25, 0.5, 1.0}) {
    double targets = 0, tokens = 0, masked = 0, replaced = 0;
    for (const Stream& sample : samples_at(corpus, mixture, progress)) {
      if (sample.size() != 64) continue;
      tokens += 62;
      for (const Target& target : sample.target) {
        ++targets;
        masked += sample.token[target.row] == kMask;
        replaced += sample.token[target.row] != kMask && sample.token[target.row] != target.id;
      }
    }
    ASSERT_GT(tokens, 100000);
    EXPECT_TRUE(within_three_sigma(targets, tokens, 0.4 - 0.2 * progress)) << targets / tokens;
    EXPECT_TRUE(within_three_sigma(masked, targets, 0.5 + 0.5 * progress)) << masked / targets;
    EXPECT_TRUE(within_three_sigma(replaced, targets, 0.3 * (1 - progress) * 93 / 94)) << replaced / targets;
  }
}

TEST(MlmSchedule, CountsFollowALine) {
  TokenCorpus corpus = corpus_of({std::vector<std::int32_t>(62, 50)});
  Mixture mixture = mlm({.probability = 0.3, .final_probability = 0.15});
  auto count = [&](double progress) { return samples_at(corpus, mixture, progress)[0].target.size(); };
  EXPECT_EQ(count(0), 19u);    // 19.2
  EXPECT_EQ(count(0.5), 14u);  // 14.4
  EXPECT_EQ(count(1), 10u);    // 9.6
}

// What is not told how far the run is gets the end: evaluation, explain, loss.
TEST(MlmSchedule, WithoutARunItIsAtItsEnd) {
  TokenCorpus corpus = random_corpus(20, 200, 100);
  auto plain = samples_of(corpus, mlm({.probability = 0.15}));
  EXPECT_EQ(samples_of(corpus, mlm({.probability = 0.4, .final_probability = 0.15})), plain);
  Mixture mixture = mlm({.probability = 0.4, .final_probability = 0.15});
  Sampler sampler(corpus, mixture, 1, 64, SampleOrder::as_written);
  Stream stream;
  sampler.next(stream);
  EXPECT_EQ(alone(stream, 0).target, plain[0].target);
}

TEST(MlmSchedule, AFinalRateOfZeroIsOne) {
  TokenCorpus corpus = random_corpus(20, 200, 100);
  for (const Stream& sample : samples_of(corpus, mlm({.mask = 1, .final_mask = 0, .random = 0}))) {
    for (const Target& target : sample.target) EXPECT_EQ(sample.token[target.row], target.id);
  }
}

// The same step has the same samples, whether the run came there in one go or began anew at any step before.
TEST(MlmSchedule, ResumesExactly) {
  TokenCorpus corpus = random_corpus(40, 200, 100);
  for (const char* unit : {"token", "word", "span"}) {
    Mixture mixture("mlm", {.mlm = {.probability = 0.8, .final_probability = 0.05, .unit = unit}},
                    piece_tokenizer(), 32);
    constexpr std::int64_t kSteps = 60;
    auto run = [&](std::int64_t from, SamplerPosition at, std::vector<SamplerPosition>* positions) {
      Sampler sampler(corpus, mixture, 5, 64, SampleOrder::shuffled);
      if (from > 1) sampler.seek(at);
      std::vector<Stream> streams;
      for (std::int64_t step = from; step <= kSteps; ++step) {
        if (positions) positions->push_back(sampler.position());
        sampler.set_progress(step, kSteps);
        for (int micro = 0; micro < 3; ++micro) sampler.next(streams.emplace_back());
      }
      return streams;
    };
    std::vector<SamplerPosition> positions;
    std::vector<Stream> whole = run(1, {}, &positions);
    EXPECT_GT(positions.back().epoch, 0u);
    EXPECT_GT(whole.front().target.size(), 3 * whole.back().target.size());
    for (std::int64_t from : {2, 17, 40, 60}) {
      std::vector<Stream> rest = run(from, positions[from - 1], nullptr);
      EXPECT_TRUE(std::equal(rest.begin(), rest.end(), whole.begin() + 3 * (from - 1), whole.end())) << unit;
    }
  }
}

TEST(MlmSchedule, RefusesImpossibleRates) {
  EXPECT_ERROR(mlm({.final_probability = 1.5}), usage,
               "objective.mlm.final_probability is out of range: found 1.5, expected a number in [0, 1]");
  EXPECT_ERROR(mlm({.final_mask = -0.5}), usage,
               "objective.mlm.final_mask is out of range: found -0.5, expected a number in [0, 1]");
  EXPECT_ERROR(
      mlm({.final_mask = 0.95}), usage,
      "objective.mlm.final_mask + objective.mlm.final_random is out of range: found 1.05, expected at "
      "most 1");
}

}  // namespace
}  // namespace surprisal
