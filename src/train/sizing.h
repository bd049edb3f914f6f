// What a run will take, from the same code that later lays it out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "model/transformer.h"
#include "train/options.h"
#include "train/setup.h"

namespace surprisal {

struct RunSizes {
  std::int64_t parameters = 0;          // all of them, an adapter's included
  std::int64_t trained_parameters = 0;  // of these, that the run changes
  std::vector<MemoryUse> memory{};      // by kind, without the program itself
  std::uint64_t checkpoint = 0;         // bytes of one on disk

  std::size_t memory_total() const;
};

// Anonymous memory of the program itself as it stands, with the code of the products, which the first model
// would have written.
std::size_t program_memory();

RunSizes size_run(const Configuration& configuration, const RunSetup& setup);

std::int64_t micro_batches(const TrainOptions& options);  // of a step
// Steps of the whole run, where an epoch has so many micro-batches.
std::int64_t count_steps(const TrainOptions& options, std::uint64_t packs_per_epoch);

// Checkpoints that lie on disk at once beside those of train.save_keep_steps: the newest, the best, and the
// one that is being written; 0: all.
std::uint64_t checkpoints_at_once(const TrainOptions& options);

// The largest streams of a run.
Capacity run_capacity(const Configuration& configuration, const Mixture& mixture);

// The largest train.micro_batch_tokens that divides train.tokens_per_step and with which what the run lays
// out stays within `memory` bytes, which the program itself does not count to; none where no sequence fits.
std::optional<std::int64_t> largest_micro_batch(const Configuration& configuration, const RunSetup& setup,
                                                std::size_t memory);

}  // namespace surprisal
