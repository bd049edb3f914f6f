// Losses of a loaded model: what surprisal/loss.h promises.
#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>

#include "surprisal/error.h"
#include "surprisal/loss.h"

#include "infer/limits.h"
#include "infer/loaded_model.h"
#include "infer/loss_sums.h"
#include "store/stored_parameters.h"
#include "stream/check.h"
#include "stream/packing.h"

namespace surprisal {
namespace {

void check(std::span<const Stream> streams, const ModelConfig& config) {
  bool any = false;
  for (std::size_t index = 0; index < streams.size(); ++index) {
    const std::string where = fmt::format("stream {}", index + 1);
    if (!streams[index].label.empty() && config.classes == 0) {
      throw Error(ErrorKind::data, {.what = "labels for a model without a sentence head", .where = where});
    }
    check_stream(streams[index], limits_of(config), where);
    any = any || !streams[index].target.empty() || !streams[index].label.empty();
  }
  if (!any) throw Error(ErrorKind::data, {.what = "no target and no label", .where = "streams"});
}

// Packed in order, so that short streams do not go through the model one by one.
std::vector<Stream> pack(std::span<const Stream> streams) {
  constexpr std::int32_t kRows = 1024;
  std::vector<Stream> packs;
  for (const Stream& stream : streams) {
    if (packs.empty() || packs.back().size() + stream.size() > kRows) packs.emplace_back();
    append(packs.back(), stream);
  }
  // What a stream says of the mixture that it came from has no meaning here.
  for (Stream& pack : packs) {
    for (Sequence& sequence : pack.sequence) sequence.part = 0;
  }
  return packs;
}

Capacity capacity_of(const std::vector<Stream>& packs) {
  Capacity capacity{1, 1, 1};
  for (const Stream& pack : packs) {
    capacity.tokens = std::max<std::int64_t>(capacity.tokens, pack.size());
    capacity.targets = std::max<std::int64_t>(capacity.targets, std::ssize(pack.target));
    capacity.labels = std::max<std::int64_t>(capacity.labels, std::ssize(pack.label));
  }
  return capacity;
}

StreamLoss run(Transformer& model, const std::vector<Stream>& packs, bool with_gradients) {
  const LossWeights weights;
  LossSums sums;
  StreamLoss loss;
  SurprisalGradients scale;
  StreamResult result;
  for (const Stream& pack : packs) sums.add_weights(pack);
  if (with_gradients) model.zero_gradients();
  for (const Stream& pack : packs) {
    if (with_gradients) {
      set_surprisal_gradients(pack, sums, weights, scale);
      model.accumulate_gradients(pack, scale.view(), nullptr, result);
    } else {
      model.evaluate(pack, result);
    }
    sums.add_result(pack, result);
    const auto& [token, label] = result;
    loss.surprisal.insert(loss.surprisal.end(), token.surprisal.begin(), token.surprisal.end());
    loss.label_surprisal.insert(loss.label_surprisal.end(), label.surprisal.begin(), label.surprisal.end());
  }
  loss.loss = sums.loss(weights);
  loss.token = sums.token().total();
  loss.label = sums.label().total();
  if (std::isfinite(loss.loss)) return loss;
  throw Error(ErrorKind::diverged, {.what = "the loss is not finite",
                                    .where = "streams",
                                    .found = fmt::format("{}", loss.loss),
                                    .fix = "look for weights that are not finite"});
}

}  // namespace

StreamLoss loss(Model& model, std::span<const Stream> streams) {
  LoadedModel& loaded = model.loaded();
  check(streams, loaded.config());
  const std::vector<Stream> packs = pack(streams);
  return run(loaded.prepare(Mode::evaluate, capacity_of(packs)), packs, false);
}

StreamLoss loss(Model& model, std::span<const Stream> streams, std::vector<Gradient>& gradients) {
  LoadedModel& loaded = model.loaded();
  check(streams, loaded.config());
  const std::vector<Stream> packs = pack(streams);
  Transformer& transformer = loaded.prepare(Mode::train, capacity_of(packs));
  StreamLoss result = run(transformer, packs, true);
  const ParameterStore store = make_parameter_store(transformer.config(), transformer.table());
  std::vector<Gradient> found;
  for (const TensorToWrite& tensor : parameters_to_write(store, transformer.gradients())) {
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
