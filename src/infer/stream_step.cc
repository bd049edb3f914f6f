#include "infer/stream_step.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "infer/limits.h"
#include "stream/check.h"
#include "stream/packing.h"

namespace surprisal {

namespace {

// A mean over nothing is no loss of 0.
template <typename Entry>
void require_weight(std::span<const Stream> streams, std::vector<Entry> Stream::*entries, const char* what,
                    const std::string& source) {
  double weight = 0;
  bool any = false;
  for (const Stream& stream : streams) {
    for (const Entry& entry : stream.*entries) weight += entry.weight;
    any = any || !(stream.*entries).empty();
  }
  if (!any || weight > 0) return;
  throw Error(ErrorKind::data, {.what = std::string("all weights of the ") + what + " are 0",
                                .where = source,
                                .fix = "leave out what has no weight"});
}

}  // namespace

void check_streams(std::span<const Stream> streams, std::span<const std::string> where,
                   const ModelConfig& config, const std::string& source) {
  const StreamLimits limits = limits_of(config);
  bool any = false;
  for (std::size_t index = 0; index < streams.size(); ++index) {
    const Stream& stream = streams[index];
    if (!stream.label.empty() && config.classes == 0) {
      throw Error(ErrorKind::data,
                  {.what = "labels for a model without a sentence head", .where = where[index]});
    }
    check_stream(stream, limits, where[index]);
    any = any || !stream.target.empty() || !stream.label.empty() || !stream.choice.empty();
  }
  if (!any) throw Error(ErrorKind::data, {.what = "no target and no label", .where = source});
  require_weight(streams, &Stream::target, "targets", source);
  require_weight(streams, &Stream::label, "labels", source);
  require_weight(streams, &Stream::choice, "choices", source);
}

std::vector<Stream> pack_in_order(std::span<const Stream> streams) {
  constexpr std::int32_t kRows = 1024;
  std::vector<Stream> packs;
  for (const Stream& stream : streams) {
    if (packs.empty() || packs.back().size() + stream.size() > kRows) packs.emplace_back();
    append(packs.back(), stream);
  }
  return packs;
}

Capacity capacity_of(std::span<const Stream> packs) {
  Capacity capacity{1, 1, 1};
  for (const Stream& pack : packs) {
    capacity.tokens = std::max<std::int64_t>(capacity.tokens, pack.size());
    capacity.targets = std::max<std::int64_t>(capacity.targets, std::ssize(pack.target));
    capacity.labels = std::max<std::int64_t>(capacity.labels, std::ssize(pack.label));
  }
  return capacity;
}

StepLoss run_step(Transformer& model, std::span<const Stream> packs, const LossWeights& weights,
                  std::size_t parts, bool gradients, const std::string& source) {
  StepLoss step{.sums = LossSums(parts)};
  for (const Stream& pack : packs) step.sums.add_weights(pack);
  if (gradients) model.zero_gradients();
  SurprisalGradients scale;
  StreamResult result;
  for (const Stream& pack : packs) {
    if (gradients) {
      set_surprisal_gradients(pack, step.sums, weights, scale);
      model.accumulate_gradients(pack, scale.view(), nullptr, result);
    } else {
      model.evaluate(pack, result);
    }
    step.sums.add_result(pack, result);
    const auto& [token, label, choice] = result;
    step.surprisal.insert(step.surprisal.end(), token.surprisal.begin(), token.surprisal.end());
    step.label_surprisal.insert(step.label_surprisal.end(), label.surprisal.begin(), label.surprisal.end());
    step.choice_surprisal.insert(step.choice_surprisal.end(), choice.surprisal.begin(),
                                 choice.surprisal.end());
  }
  step.loss = step.sums.loss(weights);
  if (std::isfinite(step.loss)) return step;
  throw Error(ErrorKind::diverged, {.what = "the loss is not finite",
                                    .where = source,
                                    .found = fmt::format("{}", step.loss),
                                    .fix = "look for weights that are not finite"});
}

}  // namespace surprisal
