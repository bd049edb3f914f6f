// GLM-130B as it was released, in tensor-parallel shards, to a model directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "model/config.h"

namespace surprisal {

struct Glm130bImport {
  std::vector<std::filesystem::path>
      shards;  // safetensors files, in order of their ranks unless their names tell
  // What shapes cannot tell. 0: from the sizes of rotary_emb.inv_freq, where the shards have it.
  std::int64_t num_attention_heads = 0;
  std::int64_t max_sequence_length = 2048;
  std::int64_t shard_bytes = 5'000'000'000;                                    // of a file written
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};  // bytes
};

struct Glm130bImported {
  ModelConfig config;
  std::int64_t parallel_size = 0;
  std::int64_t tensors = 0, parameters = 0, bytes = 0;
  std::vector<std::string> files;
};

// Writes config.json and the weights, in the dtype that they have, to the new directory `out`, whole or not
// at all; memory stays below 100 MB whatever the size. Shards are put in order by the rank in their names
// (mp_rank_07_model_states.safetensors) where each has one. Throws Error: usage (`out` exists, heads not
// known), io, data: a shard missing, given twice or of another parallel size, tensors that do not fit
// together.
Glm130bImported import_glm_130b(const Glm130bImport& import, const std::filesystem::path& out);

}  // namespace surprisal
