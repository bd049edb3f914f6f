// Weights over several files, as Hugging Face lays them out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "store/safetensors.h"

namespace surprisal {

// Writes model-00001-of-0000M.safetensors ... and their index, each of at most `most_bytes` of tensors (one
// tensor alone may be larger), tensors in the order given; model.safetensors alone where all fit into it. All
// are synced. Returns the names of the files of tensors.
std::vector<std::string> write_sharded(const std::filesystem::path& directory,
                                       const std::vector<BytesToWrite>& tensors, std::int64_t most_bytes);

}  // namespace surprisal
