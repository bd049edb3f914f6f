// An adapter merged into the checkpoint that it was trained on: a model directory that needs no adapter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace surprisal {

struct AdapterMerge {
  std::filesystem::path model, adapter, out;
  // Whose logits are compared, under the model's own tokenizer.
  std::string probe = "The quick brown fox jumps over the lazy dog.";
};

struct MergedAdapter {
  std::int64_t modules = 0;
  std::string dtype;              // of the files: that of the base's
  double largest_change = 0;      // of a logit, between base with adapter and the model that was written
  double largest_logit = 0;       // of the probe, absolute
  std::int64_t probe_tokens = 0;  // that were compared
};

// Merges in f32, writes in the base's dtype (f32 where it has several) and commits the directory whole.
// Throws Error: usage (a prefix, which has no place in weights; an `out` that is the model or the adapter),
// and what reading and writing throw.
MergedAdapter merge_adapter(const AdapterMerge& merge);

}  // namespace surprisal
