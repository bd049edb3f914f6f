// The tensors of a checkpoint, in one safetensors file or in the shards that an index lists.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/safetensors.h"

namespace surprisal {

inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kWeightsIndex = "model.safetensors.index.json";

// The file of a model directory's weights: model.safetensors, else its index; absent where there is neither.
std::optional<std::filesystem::path> find_weights(const std::filesystem::path& directory);

// Checked whole when opened. A shard is a file of the index's own directory, by its bare name; every tensor
// of weight_map is in its shard, and every tensor of a shard is in weight_map for that shard, so that none is
// there twice. Throws Error: io (missing), data.
class TensorFiles {
 public:
  // A safetensors file, or an index (a name that ends with .json).
  explicit TensorFiles(const std::filesystem::path& path);

  const std::vector<const StoredTensor*>& tensors() const { return tensors_; }  // by name
  const std::vector<SafetensorsFile>& files() const { return files_; }          // by name
  const std::filesystem::path& path() const { return path_; }

 private:
  void read_index();

  std::filesystem::path path_;
  std::vector<SafetensorsFile> files_;
  std::vector<const StoredTensor*> tensors_;
};

}  // namespace surprisal
