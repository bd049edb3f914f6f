// The modules of a model under the paths that `transformers` gives them, which is how adapters name what they
// stand beside.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/config.h"
#include "model/family.h"

namespace surprisal {

// A linear module: rows of one of our linear layers.
struct LinearModule {
  std::string path;  // "transformer.h.0.attn.c_attn"
  LinearPlace place = LinearPlace::qkv;
  std::int64_t layer = 0;
  std::int64_t row_begin = 0, row_end = 0;
  bool transposed = false;  // its weight is stored [in, out] (GPT-2's Conv1D)
  bool part = false;        // of a fused module: "transformer.h.0.attn.c_attn.query"

  std::int64_t rows() const { return row_end - row_begin; }
  bool same_rows(const LowRankBranch& branch) const {
    return place == branch.place && layer == branch.layer && row_begin == branch.row_begin &&
           row_end == branch.row_end;
  }
  bool holds(const LowRankBranch& branch) const {
    return place == branch.place && layer == branch.layer && row_begin <= branch.row_begin &&
           branch.row_end <= row_end;
  }
};

// A tensor of the checkpoint and the name of our parameter that it fills; none of an adaptation.
struct BaseTensor {
  Binding binding;
  std::string parameter;
};
std::vector<BaseTensor> base_tensors(const ModelConfig& config);

// All of them, in the order of the family's bindings; a fused query, key and value projection is followed by
// its three parts.
std::vector<LinearModule> linear_modules(const ModelConfig& config);

// The path of the module that a stored tensor belongs to: "lm_head" of "lm_head.weight".
std::string module_of(const std::string& stored);

// Whether a list of names names a module: by its path, or by the end of it (PEFT's rule).
bool names_module(const std::vector<std::string>& names, const std::string& path);
// Or names one that holds it: "pooler" of "bert.pooler.dense".
bool names_module_or_holder(const std::vector<std::string>& names, const std::string& path);

}  // namespace surprisal
