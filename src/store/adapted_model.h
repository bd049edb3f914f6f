// A model directory, and the adapter's that is put to it, if there is one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adapt/options.h"
#include "model/transformer.h"
#include "store/adapter_directory.h"
#include "store/safetensors.h"

namespace surprisal {

class AdaptedModel {
 public:
  // Reads configurations alone. `adapter`: empty for none. Throws Error as read_model_config() and
  // read_adapter_options() do.
  explicit AdaptedModel(std::filesystem::path model, std::filesystem::path adapter = {});

  const std::filesystem::path& directory() const { return model_; }
  const ModelConfig& config() const { return config_; }  // with the adaptation
  const AdapterOptions& adapter() const { return options_; }

  // Fills a model of config(). Throws Error (data) as load_weights() and load_adapter() do.
  AdapterLoad load(Transformer& model) const;

  // Gradients of what is trained: of the whole model under the names of its checkpoint, or of the adapter
  // under those of its own.
  std::vector<TensorToWrite> gradients(Transformer& model) const;

 private:
  std::filesystem::path model_, adapter_;
  ModelConfig config_;
  AdapterOptions options_;
  bool new_heads_ = false;  // that the adapter brings
};

}  // namespace surprisal
