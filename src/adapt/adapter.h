// An adapter's options, put to a model: the branches and the prefix that the model has, and the names and
// shapes under which PEFT keeps their tensors.
#pragma once

#include <string>
#include <vector>

#include "surprisal/error.h"

#include "adapt/options.h"
#include "model/config.h"
#include "model/family.h"
#include "model/parameter.h"

namespace surprisal {

// What config.adaptation becomes. Throws Error of `kind`: modules that there are not, sizes that do not fit
// the model, options that have no meaning together.
Adaptation make_adaptation(const AdapterOptions& options, const ModelConfig& config, const std::string& where,
                           ErrorKind kind);

// The adapter's tensors under PEFT's names, all of them whole parameters of `table` but rows of biases:
// a configuration's whole table, or that of what is trained. A branch beside a part of a fused module has no
// name of its own: see FusedBranches.
std::vector<Binding> adapter_bindings(const AdapterOptions& options, const ModelConfig& config,
                                      const ParameterTable& table);

// Branches beside the parts of one fused module, which PEFT knows as one branch beside all of it, of the rank
// of all together: A = [A_1; A_2], and B holds each B_i in the rows and columns that are its own.
struct FusedBranches {
  std::string module;  // "base_model.model.transformer.h.0.attn.c_attn"
  std::int64_t in = 0, out = 0, rank = 0;
  double alpha = 0;  // of the one branch, so that it is scaled as its parts are
  struct Part {
    int a = 0, b = 0;  // in the table
    std::int64_t row_begin = 0, rows = 0, rank = 0;
  };
  std::vector<Part> parts{};
};
std::vector<FusedBranches> fused_branches(const AdapterOptions& options, const ModelConfig& config,
                                          const ParameterTable& table);

}  // namespace surprisal
