// One optimizer step: the streams of all its micro-batches first (integers only), so that every term is
// normalised over the whole step; then forward and backward, clipping and AdamW.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infer/loss_sums.h"
#include "model/transformer.h"
#include "objective/sampler.h"
#include "train/optimizer.h"
#include "train/options.h"

namespace surprisal {

struct StepResult {
  LossSums sums;
  double loss = 0;
  double gradient_norm = 0;
  std::uint64_t tokens = 0;
  double flops = 0;
  bool finite() const;
};

class TrainingStep {
 public:
  TrainingStep(Transformer& model, Optimizer& optimizer, const Mixture& mixture, const TrainOptions& options,
               std::uint64_t seed);

  // Step `number`, from 1. Weights are left as they were where loss or gradient are not finite.
  StepResult run(Sampler& sampler, std::int64_t number, double learning_rate);

  // Documents of the step last run, for messages: "a.txt:12, a.txt:40, ...".
  std::string documents(const TokenCorpus& corpus) const;

 private:
  void forward_backward(StepResult& result);

  Transformer& model_;
  Optimizer& optimizer_;
  const TrainOptions& options_;
  std::uint64_t seed_;
  std::size_t parts_;
  LossWeights weights_;
  bool dropout_;
  std::vector<Stream> streams_;
  SurprisalGradients gradients_;
  StreamResult stream_result_;
};

}  // namespace surprisal
