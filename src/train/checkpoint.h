// A checkpoint: a Hugging Face directory, and state/ with everything else that going on needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "surprisal/tokenizer.h"

#include "adapt/options.h"
#include "model/transformer.h"
#include "train/optimizer.h"
#include "train/run_state.h"

namespace surprisal {

// The flat arrays that a checkpoint holds, laid out as the table of what is trained says.
struct CheckpointTensors {
  std::span<const float> weights, first_moment, second_moment;
  std::span<const float> prefix{};  // [P, 2 L K] of one that is reparametrised
};

// What a run saves in place of a model, where one is adapted.
struct CheckpointAdapter {
  AdapterOptions options;  // type none: it saves models
  std::string base_name, base_fingerprint;
};

// How train.save_dtype spells it.
Dtype save_dtype(const TrainOptions& options);

// Each file is synced; committing the directory is the caller's. `dtype` is that of model.safetensors; where
// it rounds, state/ holds the exact weights as well.
void write_checkpoint(const std::filesystem::path& directory, const ModelConfig& config,
                      const ParameterTable& table, const CheckpointTensors& tensors,
                      const Tokenizer& tokenizer, Dtype dtype, const CheckpointAdapter& adapter,
                      const RunState& state);

// What the run was doing, without its weights.
RunState read_run_state(const std::filesystem::path& directory);

// Fills model and optimizer; of a model that is adapted, what is trained, behind its base. Throws Error
// (data) where the checkpoint is not whole.
RunState read_checkpoint(const std::filesystem::path& directory, const CheckpointAdapter& adapter,
                         Transformer& model, Optimizer& optimizer);

}  // namespace surprisal
