// Hugging Face model directories in and out: config.json, model.safetensors, tokenizer.json,
// tokenizer_config.json.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"

namespace surprisal {

// config.json of a model directory. Throws Error: io (missing), data (with file and key).
ModelConfig read_model_config(const std::filesystem::path& directory);

// Fills the weights of `model`, built from the directory's own configuration. A missing, extra or wrongly
// shaped tensor is an Error (data) that names tensor, found and expected, all of them at once.
void load_weights(const std::filesystem::path& directory, Transformer& model);

// Writes config.json, model.safetensors and, if `tokenizer` is given, its two files; each synced. `weights`
// lie as `table` says: the model's own, or a copy of them. The directory must exist; committing it by a
// rename is the caller's.
void save_model(const std::filesystem::path& directory, const ModelConfig& config,
                const ParameterTable& table, std::span<const float> weights, const Tokenizer* tokenizer);
void save_model(const std::filesystem::path& directory, const Transformer& model, const Tokenizer* tokenizer);

// Gradients under the checkpoint's own tensor names and layout, tied tensors once, f32.
void save_gradients(const std::filesystem::path& file, const Transformer& model);

}  // namespace surprisal
