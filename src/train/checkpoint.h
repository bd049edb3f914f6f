// A checkpoint: a Hugging Face directory, and state/ with everything else that going on needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"
#include "objective/sampler.h"
#include "train/optimizer.h"

namespace surprisal {

// What the run was doing when it saved.
struct RunState {
  std::int64_t step = 0;
  std::uint64_t tokens = 0;  // rows trained on so far
  SamplerPosition sampler{};
  std::optional<double> first_evaluation{}, best_evaluation{};
  // What must not change between saving and going on, by configuration key: objective, data, batch ...
  std::map<std::string, std::string> identity{};
};

void write_checkpoint(const std::filesystem::path& directory, const Transformer& model,
                      const Tokenizer& tokenizer, Optimizer& optimizer, const RunState& state);

// What the run was doing, without its weights.
RunState read_run_state(const std::filesystem::path& directory);

// Fills model and optimizer. Throws Error (data) where the checkpoint is not whole.
RunState read_checkpoint(const std::filesystem::path& directory, Transformer& model, Optimizer& optimizer);

}  // namespace surprisal
