#include "train/start_adapter.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "adapt/initialise.h"
#include "store/model_directory.h"

namespace surprisal {
namespace {

void start_from_text(const Configuration& configuration, const RunSetup& setup, Transformer& model) {
  std::vector<std::int32_t> tokens;
  setup.tokenizer.encode(setup.adapter.init_text, tokens);
  if (tokens.empty()) {
    throw Error(ErrorKind::usage, {.what = "adapter.init_text has no token", .found = setup.adapter.init_text});
  }
  ModelConfig config = setup.config;
  config.adaptation = {};
  const std::int64_t length = setup.config.adaptation.prefix.length;
  Transformer base(config, Mode::evaluate, {.tokens = length});
  load_weights(configuration.model.path, base, {.new_heads = configuration.model.new_heads});
  const std::vector<float> prefix = prefix_of_text(base, tokens, length);
  std::ranges::copy(prefix, model.weight(model.table().find("prefix.weight")).f32());
}

}  // namespace

void start_adapter(const Configuration& configuration, const RunSetup& setup, Transformer& model) {
  initialise_adapter(model, static_cast<std::uint64_t>(configuration.run.seed));
  if (!setup.adapter.init_text.empty()) start_from_text(configuration, setup, model);
}

}  // namespace surprisal
