#include "train/training_step.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "infer/document_names.h"
#include "infer/limits.h"

namespace surprisal {
namespace {

bool has_dropout(const ModelConfig& config) {
  const auto drops = [](const LowRankBranch& branch) { return branch.dropout > 0; };
  return config.embedding_dropout > 0 || config.hidden_dropout > 0 || config.attention_dropout > 0 ||
         config.head_dropout > 0 || config.adaptation.prefix.dropout > 0 ||
         std::ranges::any_of(config.adaptation.branches, drops);
}

double loss_of(const Stream& stream, const StreamResult& result, const LossWeights& weights,
               std::size_t parts) {
  LossSums own(parts);
  own.add_weights(stream);
  own.add_result(stream, result);
  return own.loss(weights);
}

// Of each of so many micro-batches, whose losses are averaged.
LossWeights share_of(LossWeights weights, std::size_t micro_batches) {
  for (std::vector<double>* lambda : {&weights.token, &weights.label, &weights.choice}) {
    for (double& value : *lambda) value /= static_cast<double>(micro_batches);
  }
  return weights;
}

}  // namespace

bool StepResult::finite() const {
  return std::isfinite(loss) && std::isfinite(gradient_norm);
}

TrainingStep::TrainingStep(Transformer& model, Optimizer& optimizer, const Mixture& mixture,
                           const TrainOptions& options, std::uint64_t seed)
    : model_(model),
      optimizer_(optimizer),
      options_(options),
      seed_(seed),
      parts_(mixture.parts().size()),
      weights_(options.loss_mean == "micro_batch"
                   ? share_of(loss_weights(mixture),
                              static_cast<std::size_t>(options.tokens_per_step / options.micro_batch_tokens))
                   : loss_weights(mixture)),
      dropout_(has_dropout(model.config())),
      streams_(static_cast<std::size_t>(options.tokens_per_step / options.micro_batch_tokens)) {}

StepResult TrainingStep::run(MixedSampler& sampler, std::int64_t number, double learning_rate,
                             const GiveUp& give_up) {
  StepResult result{.sums = LossSums(parts_)};
  sample(sampler, result);
  sums_ = result.sums;
  forward_backward(result, give_up);
  if (result.dropped) return result;
  if (!by_micro_batch()) result.loss = result.sums.loss(weights_);
  const StepContent content{
      .targets = result.sums.token().total().weight > 0 || result.sums.choice().total().weight > 0,
      .labels = result.sums.label().total().weight > 0};
  result.gradient_norm =
      std::isfinite(result.loss) ? optimizer_.step(model_, options_, number, learning_rate, content) : NAN;
  return result;
}

void TrainingStep::sample(MixedSampler& sampler, StepResult& result) {
  if (options_.overfit_one_batch) sampler.seek({});
  for (Stream& stream : streams_) {
    sampler.next(stream);
    check_stream(stream, limits_of(model_.config()), "micro-batch");
    result.sums.add_weights(stream);
    result.tokens += static_cast<std::uint64_t>(stream.size());
    result.flops += model_.flops(stream, true);
  }
}

void TrainingStep::forward_backward(StepResult& result, const GiveUp& give_up) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  model_.zero_gradients();
  for (std::size_t done = 0; done < streams_.size() && !result.dropped; ++done) {
    const Stream& stream = streams_[done];
    model_.accumulate_gradients(stream, gradients_of(stream, result.sums), dropout_ ? &seed_ : nullptr,
                                stream_result_);
    result.sums.add_result(stream, stream_result_);
    if (by_micro_batch()) result.loss += loss_of(stream, stream_result_, weights_, parts_);
    const double each =
        std::chrono::duration<double>(Clock::now() - begin).count() / static_cast<double>(done + 1);
    result.dropped = give_up && give_up(each * static_cast<double>(streams_.size() - done - 1));
  }
}

SurprisalGradient TrainingStep::gradients_of(const Stream& stream, const LossSums& step) {
  if (by_micro_batch()) {
    LossSums own(parts_);
    own.add_weights(stream);
    set_surprisal_gradients(stream, own, weights_, gradients_);
  } else {
    set_surprisal_gradients(stream, step, weights_, gradients_);
  }
  SurprisalGradient gradient = gradients_.view();
  gradient.label_smoothing = static_cast<float>(options_.label_smoothing_factor);
  return gradient;
}

std::string TrainingStep::find_nonfinite() {
  for (const Stream& stream : streams_) {
    std::string place =
        model_.find_nonfinite(stream, gradients_of(stream, sums_), dropout_ ? &seed_ : nullptr);
    if (!place.empty()) return place;
  }
  return {};
}

std::string TrainingStep::documents(const TokenCorpus& corpus) const {
  return document_names(streams_, corpus);
}

}  // namespace surprisal
