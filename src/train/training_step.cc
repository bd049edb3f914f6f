#include "train/training_step.h"

#include <cmath>

#include "infer/document_names.h"
#include "infer/limits.h"

namespace surprisal {
namespace {

bool has_dropout(const ModelConfig& config) {
  return config.embedding_dropout > 0 || config.hidden_dropout > 0 || config.attention_dropout > 0;
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

StepResult TrainingStep::run(Sampler& sampler, std::int64_t number, double learning_rate) {
  StepResult result{.sums = LossSums(parts_)};
  for (Stream& stream : streams_) {
    sampler.next(stream);
    check_stream(stream, limits_of(model_.config()), "micro-batch");
    result.sums.add_weights(stream);
    result.tokens += static_cast<std::uint64_t>(stream.size());
    result.flops += model_.flops(stream, true);
  }
  forward_backward(result);
  result.loss = result.sums.loss(weights_);
  result.gradient_norm =
      std::isfinite(result.loss) ? optimizer_.step(model_, options_, number, learning_rate) : NAN;
  return result;
}

void TrainingStep::forward_backward(StepResult& result) {
  model_.zero_gradients();
  for (const Stream& stream : streams_) {
    set_surprisal_gradients(stream, result.sums, weights_, gradients_);
    model_.accumulate_gradients(stream, gradients_.view(), dropout_ ? &seed_ : nullptr, stream_result_);
    result.sums.add_result(stream, stream_result_);
  }
}

std::string TrainingStep::documents(const TokenCorpus& corpus) const {
  return document_names(streams_, corpus);
}

}  // namespace surprisal
