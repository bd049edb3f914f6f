// One optimizer step: the streams of all its micro-batches first (integers only), so that every term is
// normalised over the whole step; then forward and backward, clipping and AdamW.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/loss_sums.h"
#include "model/transformer.h"
#include "objective/mixed_sampler.h"
#include "train/optimizer.h"
#include "train/options.h"

namespace surprisal {

struct StepResult {
  LossSums sums;
  double loss = 0;
  double gradient_norm = 0;
  std::uint64_t tokens = 0;
  double flops = 0;
  bool dropped = false;
  bool finite() const;
};

class TrainingStep {
 public:
  TrainingStep(Transformer& model, Optimizer& optimizer, const Mixture& mixture, const TrainOptions& options,
               std::uint64_t seed);

  // Whether to drop a step that would take so many seconds more.
  using GiveUp = std::function<bool(double seconds_left)>;

  // The optimizer's update `number`, from 1. Weights are left as they were where loss or gradient are not
  // finite, and where the step was dropped.
  StepResult run(MixedSampler& sampler, std::int64_t number, double learning_rate,
                 const GiveUp& give_up = {});

  // Where in the step last run a number first was not finite; empty where it cannot be found again.
  std::string find_nonfinite();
  // Documents of the step last run, for messages: "a.txt:12, a.txt:40, ...".
  std::string documents(const TokenCorpus& corpus) const;

 private:
  void sample(MixedSampler& sampler, StepResult& result);
  void forward_backward(StepResult& result, const GiveUp& give_up);
  // d(loss)/d(surprisal) of the stream's targets, where `step` holds the weights of the whole step.
  SurprisalGradient gradients_of(const Stream& stream, const LossSums& step);
  bool by_micro_batch() const { return options_.loss_mean == "micro_batch"; }

  Transformer& model_;
  Optimizer& optimizer_;
  const TrainOptions& options_;
  std::uint64_t seed_;
  std::size_t parts_;
  LossWeights weights_;
  bool dropout_;
  std::vector<Stream> streams_;
  SurprisalGradients gradients_;
  LossSums sums_;  // weights of the step last run
  StreamResult stream_result_;
};

}  // namespace surprisal
