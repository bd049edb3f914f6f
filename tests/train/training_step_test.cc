#include "train/training_step.h"

#include <cmath>

#include "objective/mixed_sampler.h"
#include "tests/core/error_matchers.h"
#include "tests/infer/tiny_language.h"
#include "tests/train/one_step.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kMicroBatch = 20;

// Four documents, no two of which fit into one micro-batch of 20 rows, while 80 rows hold them all: the same
// samples make four micro-batches or one. Their lengths, and so their targets, differ.
TokenCorpus four_documents(std::int32_t vocabulary) {
  std::vector<TokenCorpus::Ids> documents;
  Random random({.seed = 3});
  for (std::size_t length : {11, 17, 12, 15}) {
    TokenCorpus::Ids document{.tokens = {}, .sentences = {0, 4, 7}, .bytes = length};
    for (std::size_t token = 0; token < length; ++token) {
      document.tokens.push_back(5 + static_cast<std::int32_t>(random.below(vocabulary - 5)));
    }
    documents.push_back(document);
  }
  return TokenCorpus::from_ids(documents);
}

class TrainingStepTest : public testing::TestWithParam<const char*> {
 protected:
  // One step over the whole epoch in micro-batches of `micro_batch` rows.
  Trained step(std::int64_t micro_batch, double dropout) {
    const Tokenizer& tokenizer = tiny_wordpiece();
    TokenCorpus corpus = four_documents(tokenizer.vocabulary_size());
    Mixture mixture(GetParam(), {}, tokenizer, 20);
    return train_one_step(tiny_config("bert", tokenizer.vocabulary_size(), 20), mixture, corpus,
                          4 * kMicroBatch, micro_batch, dropout);
  }
};
INSTANTIATE_TEST_SUITE_P(Objectives, TrainingStepTest,
                         testing::Values("mlm", "0.5 mlm", "0.3 mlm | 0.7 mlm"));

TEST_P(TrainingStepTest, FourMicroBatchesAreOneFourTimesAsLarge) {
  for (double dropout : {0.0, 0.3}) {
    expect_same_step(step(kMicroBatch, dropout), step(4 * kMicroBatch, dropout));
  }
}

TEST_P(TrainingStepTest, DropoutIsOn) {
  EXPECT_GT(std::abs(step(kMicroBatch, 0.3).result.loss - step(kMicroBatch, 0).result.loss), 1e-3);
}

// With loss_mean = "micro_batch" loss and gradients are the averages of those of steps of one micro-batch
// each, whatever the numbers of their targets.
TEST(TrainingStep, MeansOfMicroBatchesAreAveraged) {
  const Tokenizer& tokenizer = tiny_wordpiece();
  const TokenCorpus corpus = four_documents(tokenizer.vocabulary_size());
  const Mixture mixture("mlm", {}, tokenizer, 20);
  const ModelConfig config = tiny_config("bert", tokenizer.vocabulary_size(), 20);
  TrainOptions options;
  options.max_grad_norm = 0;  // gradients are read as they are
  options.loss_mean = "micro_batch";
  const Trained four = train_one_step(config, mixture, corpus, 4 * kMicroBatch, kMicroBatch, 0, options);
  options.loss_mean = "step";
  std::vector<double> mean(four.gradients.size());
  double loss = 0;
  MixedSampler sampler(corpus, mixture, 1, kMicroBatch, SampleOrder::shuffled);
  for (int alone = 0; alone < 4; ++alone) {
    std::unique_ptr<Transformer> fresh = tiny_model(config, Mode::train, kMicroBatch);
    Optimizer optimizer(*fresh);
    options.tokens_per_step = options.micro_batch_tokens = kMicroBatch;
    TrainingStep training(*fresh, optimizer, mixture, options, 1);
    loss += training.run(sampler, 1, 1e-3).loss / 4;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += fresh->gradients()[i] / 4.0;
  }
  EXPECT_NEAR(four.result.loss, loss, 1e-6 * loss);
  for (std::size_t i = 0; i < mean.size(); ++i) {
    ASSERT_NEAR(four.gradients[i], mean[i], 1e-6 * four.result.gradient_norm) << i;
  }
  const Trained whole = train_one_step(config, mixture, corpus, 4 * kMicroBatch, kMicroBatch, 0);
  EXPECT_GT(std::abs(whole.result.loss - four.result.loss), 1e-4);
}

// The loss that is reported stays the surprisal; the gradient does not.
TEST(TrainingStep, LabelsAreSmoothed) {
  const Tokenizer& tokenizer = tiny_wordpiece();
  const TokenCorpus corpus = four_documents(tokenizer.vocabulary_size());
  const Mixture mixture("mlm", {}, tokenizer, 20);
  const ModelConfig config = tiny_config("bert", tokenizer.vocabulary_size(), 20);
  const auto step = [&](double smoothing) {
    TrainOptions options;
    options.label_smoothing_factor = smoothing;
    return train_one_step(config, mixture, corpus, 4 * kMicroBatch, 4 * kMicroBatch, 0, options);
  };
  const Trained plain = step(0), smoothed = step(0.2);
  EXPECT_EQ(plain.result.loss, smoothed.result.loss);
  EXPECT_NE(plain.result.gradient_norm, smoothed.result.gradient_norm);
}

TEST(TrainingStep, NamesItsDocuments) {
  const Tokenizer& tokenizer = tiny_wordpiece();
  TokenCorpus corpus = tiny_corpus(tokenizer, 2);
  Mixture mixture("mlm", {}, tokenizer, 200);
  std::unique_ptr<Transformer> model =
      tiny_model(tiny_config("bert", tokenizer.vocabulary_size(), 200), Mode::train, 200);
  Optimizer optimizer(*model);
  TrainOptions options;
  options.tokens_per_step = options.micro_batch_tokens = 200;
  MixedSampler sampler(corpus, mixture, 1, 200, SampleOrder::as_written);
  TrainingStep training(*model, optimizer, mixture, options, 1);
  training.run(sampler, 1, 1e-3);
  EXPECT_EQ(training.documents(corpus), corpus.origin(0) + ", " + corpus.origin(1));
}

TEST(TrainingStep, RefusesAStreamThatTheModelCannotTake) {
  const Tokenizer& tokenizer = tiny_wordpiece();
  TokenCorpus corpus = tiny_corpus(tokenizer, 4);
  Mixture mixture("mlm", {}, tokenizer, 16);
  std::unique_ptr<Transformer> model = tiny_model(tiny_config("bert", 20, 16), Mode::train, 32);
  Optimizer optimizer(*model);
  TrainOptions options;
  options.tokens_per_step = options.micro_batch_tokens = 32;
  MixedSampler sampler(corpus, mixture, 1, 32, SampleOrder::shuffled);
  TrainingStep training(*model, optimizer, mixture, options, 1);
  EXPECT_ERROR(training.run(sampler, 1, 1e-3), data, HasSubstr("micro-batch"));
}

}  // namespace
}  // namespace surprisal
