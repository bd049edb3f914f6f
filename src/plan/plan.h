// What a run will take and how long, before it is started.
#pragma once

#include <cstddef>
#include <cstdint>

#include "text/corpus/corpus_report.h"
#include "text/corpus/token_corpus.h"
#include "train/options.h"
#include "train/sizing.h"

namespace surprisal {

struct RunForecast {
  RunSizes sizes;           // of the configuration as it stands; without the program itself
  std::size_t program = 0;  // anonymous memory of this process, before any of that
  CorpusReport data{};
  std::int64_t max_steps = 0, micro_batches = 0;
  double epochs = 0;
  // Of a step, in the mean of the first ones: what it needs, not what padding or masks would add.
  double flops = 0;
  std::uint64_t tokens = 0, targets = 0;
  std::uint64_t checkpoints = 0;  // that lie on disk at once, at most; 0: all of them

  std::size_t memory() const { return program + sizes.memory_total(); }
};

// Reads the corpus (from its cache, or making that) and draws the first step's samples; allocates no model,
// but sets the threads that the run would have. Throws as train() does.
RunForecast forecast(const Configuration& configuration, const RunSetup& setup,
                     const TokenCorpus::Progress& progress = {});

}  // namespace surprisal
