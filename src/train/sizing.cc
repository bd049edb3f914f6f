#include "train/sizing.h"

#include <algorithm>
#include <cmath>

#include "core/machine.h"
#include "model/parameter.h"
#include "ops/gemm.h"
#include "train/checkpoint_writer.h"
#include "train/optimizer.h"

namespace surprisal {

std::size_t RunSizes::memory_total() const {
  std::size_t total = 0;
  for (const MemoryUse& use : memory) total += use.bytes;
  return total;
}

std::int64_t micro_batches(const TrainOptions& options) {
  return options.tokens_per_step / options.micro_batch_tokens;
}

std::int64_t count_steps(const TrainOptions& options, std::uint64_t packs_per_epoch) {
  if (options.max_steps > 0) return options.max_steps;
  const double packs = options.num_train_epochs * static_cast<double>(packs_per_epoch);
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil(packs / static_cast<double>(micro_batches(options)))));
}

std::uint64_t checkpoints_at_once(const TrainOptions& options) {
  if (options.save_total_limit == 0) return 0;
  return static_cast<std::uint64_t>(options.save_total_limit + options.save_best_limit) + 1;
}

Capacity run_capacity(const Configuration& configuration, const Mixture& mixture) {
  const std::int64_t tokens = configuration.train.micro_batch_tokens;
  return {.tokens = tokens, .labels = mixture.has_labels() ? tokens : 1};
}

std::size_t program_memory() {
  prepare_gemm();
  return static_cast<std::size_t>(anonymous_memory());
}

RunSizes size_run(const Configuration& configuration, const RunSetup& setup) {
  constexpr std::size_t kStreamBytes = 48;  // of all arrays of a stream, a row
  const TrainOptions& options = configuration.train;
  const ParameterTable table = make_parameter_table(setup.config);
  const ParameterTable trained = trained_parameters(setup.config, table).table;
  RunSizes sizes{.parameters = table.count, .trained_parameters = trained.count};
  sizes.memory = Transformer::plan(setup.config, Mode::train, run_capacity(configuration, setup.mixture),
                                   static_cast<std::size_t>(options.head_workspace_mib) << 20);
  sizes.memory.push_back({"optimizer", Optimizer::plan(trained)});
  if (options.save_in_background || setup.config.adaptation.any()) {
    sizes.memory.push_back({"checkpoint", CheckpointWriter::plan(setup.config)});
  }
  sizes.memory.push_back({"data", kStreamBytes * static_cast<std::size_t>(options.tokens_per_step)});
  sizes.checkpoint = CheckpointWriter::bytes_on_disk(trained, setup.tokenizer, save_dtype(options));
  return sizes;
}

std::optional<std::int64_t> largest_micro_batch(const Configuration& configuration, const RunSetup& setup,
                                                std::size_t memory) {
  Configuration trial = configuration;
  const std::int64_t step = configuration.train.tokens_per_step;
  // Few numbers divide a step, and fewer of them hold a sequence.
  for (std::int64_t parts = 1; parts <= step / configuration.data.sequence_length; ++parts) {
    if (step % parts != 0) continue;
    trial.train.micro_batch_tokens = step / parts;
    if (size_run(trial, setup).memory_total() <= memory) return trial.train.micro_batch_tokens;
  }
  return std::nullopt;
}

}  // namespace surprisal
