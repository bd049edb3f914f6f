// Tensor-parallel shards (every one holds a part of each matrix) to whole tensors, a piece at a time.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "store/safetensors.h"

namespace surprisal {

// How a tensor is shared out over the ranks of a tensor-parallel model.
enum class Split {
  replicated,  // every rank has all of it
  rows,        // ranks one after the other
  columns,     // the same rows, side by side
  gated_rows,  // each rank has a part of the first half of the rows and one of the second
  unread       // not part of the result
};

// The merged tensors, by name; `shards` in order of their ranks, and kept: pieces are read from their
// mappings when a tensor is written, and what was read leaves the process's memory at once. `split` says how
// a name is shared out. Throws Error (data) that names tensor and file: a tensor that another shard lacks, or
// has in another shape or dtype; replicated ones that differ.
std::vector<BytesToWrite> merge_shards(const std::vector<SafetensorsFile>& shards,
                                       const std::function<Split(std::string_view name)>& split);

// A piece of a mapping that is not needed for now; reading it again is allowed.
void release(std::span<const std::byte> mapped);

}  // namespace surprisal
