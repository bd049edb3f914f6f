// Hugging Face model directories in and out: config.json, model.safetensors (in: or its shards),
// tokenizer.json, tokenizer_config.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"
#include "store/stored_parameters.h"

namespace surprisal {

// config.json of a model directory, with those optional heads of which the weights beside it have tensors:
// many files hold more or less than their "architectures" say. Throws Error: io (missing), data (with file
// and key).
ModelConfig read_model_config(const std::filesystem::path& directory);

struct LoadOptions {
  bool new_heads = false;  // draw heads that the checkpoint lacks, and leave out its heads for other tasks
  std::uint64_t seed = 0;  // of what is drawn
};

// Fills the weights of `model`, built from the directory's own configuration, from model.safetensors or the
// shards of its index. A missing, extra or wrongly shaped tensor is an Error (data) that names tensor, found
// and expected, all of them at once. Returns what new_heads let pass, for the caller to say.
HeadsOfOthers load_weights(const std::filesystem::path& directory, Transformer& model,
                           const LoadOptions& options = {});

// Writes config.json, model.safetensors and, if `tokenizer` is given, its two files; each synced. `weights`
// lie as `table` says: the model's own, or a copy of them. `dtype` is that of the file: f32, or bf16, rounded
// to nearest. The directory must exist; committing it by a rename is the caller's.
void save_model(const std::filesystem::path& directory, const ModelConfig& config,
                const ParameterTable& table, std::span<const float> weights, const Tokenizer* tokenizer,
                Dtype dtype = Dtype::f32);
void save_model(const std::filesystem::path& directory, const Transformer& model, const Tokenizer* tokenizer,
                Dtype dtype = Dtype::f32);

}  // namespace surprisal
