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
         std::ranges::any_of(config.adaptation.branches, drops);
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
      weights_(loss_weights(mixture)),
      dropout_(has_dropout(model.config())),
      streams_(static_cast<std::size_t>(options.tokens_per_step / options.micro_batch_tokens)) {}

StepResult TrainingStep::run(MixedSampler& sampler, std::int64_t number, double learning_rate,
                             const GiveUp& give_up) {
  StepResult result{.sums = LossSums(parts_)};
  sample(sampler, result);
  sums_ = result.sums;
  forward_backward(result, give_up);
  if (result.dropped) return result;
  result.loss = result.sums.loss(weights_);
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
    set_surprisal_gradients(stream, result.sums, weights_, gradients_);
    model_.accumulate_gradients(stream, gradients_.view(), dropout_ ? &seed_ : nullptr, stream_result_);
    result.sums.add_result(stream, stream_result_);
    const double each =
        std::chrono::duration<double>(Clock::now() - begin).count() / static_cast<double>(done + 1);
    result.dropped = give_up && give_up(each * static_cast<double>(streams_.size() - done - 1));
  }
}

std::string TrainingStep::find_nonfinite() {
  for (const Stream& stream : streams_) {
    set_surprisal_gradients(stream, sums_, weights_, gradients_);
    std::string place = model_.find_nonfinite(stream, gradients_.view(), dropout_ ? &seed_ : nullptr);
    if (!place.empty()) return place;
  }
  return {};
}

std::string TrainingStep::documents(const TokenCorpus& corpus) const {
  return document_names(streams_, corpus);
}

}  // namespace surprisal
