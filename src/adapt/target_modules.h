// Which modules an adapter of type lora stands beside, each with its rank and alpha, by PEFT's rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "surprisal/error.h"

#include "adapt/modules.h"
#include "adapt/options.h"

namespace surprisal {

struct TargetModule {
  LinearModule module;
  std::int64_t rank = 0;
  double alpha = 0;
};

// In the order of linear_modules(). Throws Error of `kind`, with the modules that there are: a name that
// names none, a pattern that is none, a module and a part of it.
std::vector<TargetModule> find_targets(const AdapterOptions& options, const ModelConfig& config,
                                       const std::string& where, ErrorKind kind);

// An entry of rank_pattern or alpha_pattern, "PATTERN = NUMBER"; none where it is not of that form.
struct NumberPattern {
  std::string pattern;
  double value = 0;
};
std::optional<NumberPattern> read_number_pattern(const std::string& entry);

// The names with which another program finds the same modules: never all-linear, nor parts.
std::vector<std::string> portable_names(const AdapterOptions& options, const ModelConfig& config);

}  // namespace surprisal
