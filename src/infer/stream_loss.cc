// Losses of a loaded model: what surprisal/loss.h promises.
#include <string>

#include <fmt/format.h>

#include "surprisal/loss.h"

#include "infer/loaded_model.h"
#include "infer/stream_step.h"

namespace surprisal {
namespace {

std::vector<Stream> checked_packs(std::span<const Stream> streams, const ModelConfig& config) {
  std::vector<std::string> where;
  for (std::size_t number = 1; number <= streams.size(); ++number)
    where.push_back(fmt::format("stream {}", number));
  check_streams(streams, where, config, "streams");
  std::vector<Stream> packs = pack_in_order(streams);
  // What a stream says of the mixture that it came from has no meaning here.
  for (Stream& pack : packs) {
    for (Sequence& sequence : pack.sequence) sequence.part = 0;
  }
  return packs;
}

StreamLoss run(Transformer& model, std::span<const Stream> packs, bool gradients) {
  StepLoss step = run_step(model, packs, {}, 1, gradients, "streams");
  return {.loss = step.loss,
          .token = step.sums.token().total(),
          .label = step.sums.label().total(),
          .choice = step.sums.choice().total(),
          .surprisal = std::move(step.surprisal),
          .label_surprisal = std::move(step.label_surprisal),
          .choice_surprisal = std::move(step.choice_surprisal)};
}

}  // namespace

StreamLoss loss(Model& model, std::span<const Stream> streams) {
  LoadedModel& loaded = model.loaded();
  const std::vector<Stream> packs = checked_packs(streams, loaded.config());
  return run(loaded.prepare(Mode::evaluate, capacity_of(packs)), packs, false);
}

StreamLoss loss(Model& model, std::span<const Stream> streams, std::vector<Gradient>& gradients) {
  LoadedModel& loaded = model.loaded();
  const std::vector<Stream> packs = checked_packs(streams, loaded.config());
  Transformer& transformer = loaded.prepare(Mode::train, capacity_of(packs));
  StreamLoss result = run(transformer, packs, true);
  std::vector<Gradient> found;
  for (const TensorToWrite& tensor : loaded.source().gradients(transformer)) {
    std::int64_t size = 1;
    for (std::int64_t dimension : tensor.shape) size *= dimension;
    Gradient gradient{tensor.name, tensor.shape, std::vector<float>(static_cast<std::size_t>(size))};
    tensor.fill(0, gradient.values);
    found.push_back(std::move(gradient));
  }
  gradients = std::move(found);
  return result;
}

}  // namespace surprisal
