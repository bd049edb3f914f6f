// One optimizer step of a tiny model over a whole epoch, cut into micro-batches of any size.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "objective/mixed_sampler.h"
#include "tests/infer/tiny_language.h"
#include "train/training_step.h"

namespace surprisal {

struct Trained {
  StepResult result;
  std::vector<float> gradients;
};

inline Trained train_one_step(ModelConfig config, const Mixture& mixture, const TokenCorpus& corpus,
                              std::int64_t tokens_per_step, std::int64_t micro_batch, double dropout,
                              TrainOptions options = {}) {
  config.hidden_dropout = config.embedding_dropout = config.attention_dropout = dropout;
  std::unique_ptr<Transformer> model = tiny_model(config, Mode::train, micro_batch);
  Optimizer optimizer(*model);
  options.tokens_per_step = tokens_per_step;
  options.micro_batch_tokens = micro_batch;
  MixedSampler sampler(corpus, mixture, 1, static_cast<std::int32_t>(micro_batch), SampleOrder::shuffled);
  EXPECT_EQ(sampler.packs_in_epoch(), static_cast<std::uint64_t>(options.tokens_per_step / micro_batch));
  TrainingStep training(*model, optimizer, mixture, options, 1);
  Trained trained{training.run(sampler, 1, 1e-3), {}};
  trained.gradients.assign(model->gradients().begin(), model->gradients().end());
  return trained;
}

// The same step in many micro-batches and in one: the same loss and gradients, to rounding.
inline void expect_same_step(const Trained& many, const Trained& one) {
  EXPECT_EQ(many.result.tokens, one.result.tokens);
  EXPECT_EQ(many.result.sums.token().total().weight, one.result.sums.token().total().weight);
  EXPECT_NEAR(many.result.loss / one.result.loss, 1, 1e-6);
  EXPECT_NEAR(many.result.gradient_norm / one.result.gradient_norm, 1, 1e-5);
  ASSERT_GT(one.result.gradient_norm, 0.01);
  for (std::size_t index = 0; index < one.gradients.size(); ++index) {
    ASSERT_NEAR(many.gradients[index], one.gradients[index], 1e-6 * one.result.gradient_norm) << index;
  }
}

}  // namespace surprisal
