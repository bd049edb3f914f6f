#include "train/start_weights.h"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "adapt/initialise.h"
#include "store/adapter_directory.h"
#include "store/model_directory.h"

namespace surprisal {
namespace {

void start_base(const Configuration& configuration, Transformer& model, TrainObserver& observer) {
  const auto seed = static_cast<std::uint64_t>(configuration.run.seed);
  if (configuration.model.path.empty()) return model.initialise(seed);
  const HeadsOfOthers heads = load_weights(configuration.model.path, model,
                                           {.new_heads = configuration.model.new_heads, .seed = seed});
  if (!heads.missing.empty()) {
    observer.message(
        fmt::format("drawn anew, since the checkpoint lacks them: {}", fmt::join(heads.missing, ", ")));
  }
  if (!heads.left_out.empty()) {
    observer.message(fmt::format("left out of the checkpoint: {}", fmt::join(heads.left_out, ", ")));
  }
}

// The text goes through the base once more.
void start_from_text(const Configuration& configuration, const RunSetup& setup, Transformer& model) {
  std::vector<std::int32_t> tokens;
  setup.tokenizer.encode(setup.adapter.init_text, tokens);
  if (tokens.empty()) {
    throw Error(ErrorKind::usage,
                {.what = "adapter.init_text has no token", .found = setup.adapter.init_text});
  }
  ModelConfig config = setup.config;
  config.adaptation = {};
  const std::int64_t length = setup.config.adaptation.prefix.length;
  Transformer base(config, Mode::evaluate, {.tokens = length});
  load_weights(configuration.model.path, base, {.new_heads = configuration.model.new_heads});
  const std::vector<float> prefix = prefix_of_text(base, tokens, length);
  std::ranges::copy(prefix, model.weight(model.table().find("prefix.weight")).f32());
}

void start_adapter(const Configuration& configuration, const RunSetup& setup, Transformer& model,
                   TrainObserver& observer) {
  const std::string& path = configuration.adapter.path;
  if (path.empty()) {
    initialise_adapter(model, static_cast<std::uint64_t>(configuration.run.seed));
    if (!setup.adapter.init_text.empty()) start_from_text(configuration, setup, model);
    return;
  }
  const AdapterLoad load = load_adapter(path, setup.adapter, model);
  observer.message(load.modules > 0 ? fmt::format("{}: branches of {} modules applied", path, load.modules)
                                    : fmt::format("{}: prefix applied", path));
}

}  // namespace

CheckpointAdapter start_weights(const Configuration& configuration, const RunSetup& setup, Transformer& model,
                                TrainObserver& observer) {
  start_base(configuration, model, observer);
  if (!setup.adapter.any()) return {};
  CheckpointAdapter adapter{.options = setup.adapter,
                            .base_name = configuration.model.path,
                            .base_fingerprint = base_fingerprint(model)};
  start_adapter(configuration, setup, model, observer);
  return adapter;
}

}  // namespace surprisal
