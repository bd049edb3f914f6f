#include "train/sizing.h"

#include "model/parameter.h"
#include "train/checkpoint_writer.h"
#include "train/optimizer.h"

namespace surprisal {

std::size_t RunSizes::memory_total() const {
  std::size_t total = 0;
  for (const MemoryUse& use : memory) total += use.bytes;
  return total;
}

Capacity run_capacity(const Configuration& configuration, const Mixture& mixture) {
  const std::int64_t tokens = configuration.train.micro_batch_tokens;
  return {.tokens = tokens, .labels = mixture.has_labels() ? tokens : 1};
}

RunSizes size_run(const Configuration& configuration, const RunSetup& setup) {
  constexpr std::size_t kStreamBytes = 48;  // of all arrays of a stream, a row
  const TrainOptions& options = configuration.train;
  const ParameterTable table = make_parameter_table(setup.config);
  RunSizes sizes{.parameters = table.count};
  sizes.memory = Transformer::plan(setup.config, Mode::train, run_capacity(configuration, setup.mixture),
                                   static_cast<std::size_t>(options.head_workspace_mib) << 20);
  sizes.memory.push_back({"optimizer", Optimizer::plan(table)});
  if (options.save_in_background) sizes.memory.push_back({"checkpoint", CheckpointWriter::plan(table)});
  sizes.memory.push_back({"data", kStreamBytes * static_cast<std::size_t>(options.tokens_per_step)});
  sizes.checkpoint = CheckpointWriter::bytes_on_disk(table, setup.tokenizer);
  return sizes;
}

}  // namespace surprisal
