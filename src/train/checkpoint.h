// A checkpoint: a Hugging Face directory, and state/ with everything else that going on needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"
#include "objective/sampler.h"
#include "train/optimizer.h"

namespace surprisal {

// An evaluation that was among the best, and the checkpoint that it chose.
struct ScoredStep {
  std::int64_t step = 0;
  double value = 0;  // of train.metric_for_best_model
  friend bool operator==(const ScoredStep&, const ScoredStep&) = default;
};

// What the run was doing when it saved.
struct RunState {
  std::int64_t step = 0;
  std::uint64_t tokens = 0;                        // rows trained on so far
  std::int64_t skipped = 0, skipped_in_a_row = 0;  // steps that were not finite
  SamplerPosition sampler{};
  std::int64_t evaluated_step = -1;
  std::int64_t evaluations_without_improvement = 0;
  std::optional<double> first_evaluation{};
  std::vector<ScoredStep> best{};  // best first
  // Keys of the configuration as they were, and hashes of the texts: objective, data, batch ...
  std::map<std::string, std::string> identity{};
};

// The flat arrays that a checkpoint holds, laid out as the parameter table says.
struct CheckpointTensors {
  std::span<const float> weights, first_moment, second_moment;
};

// How train.save_dtype spells it.
Dtype save_dtype(const TrainOptions& options);

// Each file is synced; committing the directory is the caller's. `dtype` is that of model.safetensors; where
// it rounds, state/ holds the exact weights as well.
void write_checkpoint(const std::filesystem::path& directory, const ModelConfig& config,
                      const ParameterTable& table, const CheckpointTensors& tensors,
                      const Tokenizer& tokenizer, Dtype dtype, const RunState& state);

// What the run was doing, without its weights.
RunState read_run_state(const std::filesystem::path& directory);

// Fills model and optimizer. Throws Error (data) where the checkpoint is not whole.
RunState read_checkpoint(const std::filesystem::path& directory, Transformer& model, Optimizer& optimizer);

}  // namespace surprisal
