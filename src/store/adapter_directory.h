// Adapter directories, as PEFT has them: adapter_config.json and adapter_model.safetensors, and, beside them,
// what PEFT has no key for: surprisal_adapter.json.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "surprisal/tokenizer.h"

#include "adapt/options.h"
#include "model/transformer.h"
#include "store/safetensors.h"

namespace surprisal {

// A hash of the base's weights, so that an adapter is not put to another. Of all parameters that are not the
// adaptation's, those that are trained beside it left out.
std::string base_fingerprint(const Transformer& model);

// The adapter of a classifier brings the classifier along: gives `base`, of a checkpoint without it, the
// heads that the adapter was trained with. Throws Error: io (missing), data.
void fit_classifier(const std::filesystem::path& directory, ModelConfig& base);

// What an adapter is, with `base` for the model that it is to be put to. Throws Error: io (missing), data.
AdapterOptions read_adapter_options(const std::filesystem::path& directory, const ModelConfig& base);

struct AdapterLoad {
  std::int64_t modules = 0;  // whose branches were applied; 0 of a prefix
  std::int64_t tensors = 0;
};

// Fills the adaptation's parameters, and those that are trained beside it, of a model whose base is loaded
// and whose configuration has the adaptation of these options. Throws Error (data): a tensor that is missing,
// one that nothing uses, one of another shape, all at once; an adapter that was trained on another base.
AdapterLoad load_adapter(const std::filesystem::path& directory, const AdapterOptions& options,
                         Transformer& model);

// Writes the files into a directory that exists, each synced. `values` lie as `table` says: the model's whole
// table, or that of what is trained. A prefix that is reparametrised is taken from `prefix`, [P, 2 L K].
struct AdapterToWrite {
  const AdapterOptions& options;
  const ModelConfig& config;  // with the adaptation
  const ParameterTable& table;
  std::span<const float> values;
  std::span<const float> prefix{};
  std::string base_name{};         // path or name of the base
  std::string base_fingerprint{};  // empty: not known
};
void save_adapter(const std::filesystem::path& directory, const AdapterToWrite& adapter,
                  const Tokenizer* tokenizer);

// The tensors alone, for gradients: these have no prefix that is reparametrised.
std::vector<TensorToWrite> adapter_tensors(const AdapterToWrite& adapter);

}  // namespace surprisal
