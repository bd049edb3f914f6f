// The parameters of a model: named pieces of one flat f32 array. Gradients and optimizer state have the same
// layout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "model/config.h"

namespace surprisal {

enum class Initial { zero, one, normal };

// Which steps give a parameter a gradient at all: those of a head only steps with something for it.
enum class GradientFrom { anything, targets, labels };

struct Parameter {
  std::string name;         // ours: "layer.0.attention.qkv.weight"
  Shape shape;              // linear weights are [out, in]
  std::int64_t offset = 0;  // of the first element in the flat array; a multiple of 16
  bool decay = false;       // weight decay acts on it (everything but biases and norms)
  GradientFrom gradient_from = GradientFrom::anything;
  Initial initial = Initial::zero;
  double range = 0;            // standard deviation of Initial::normal
  std::int64_t last_rows = 0;  // of the first axis, whose standard deviation is last_range instead
  double last_range = 0;
};

struct ParameterTable {
  std::vector<Parameter> parameters;
  std::int64_t size = 0;   // of the flat array, padding between parameters included
  std::int64_t count = 0;  // of parameters proper
  // Index by name. REQUIRES that it exists.
  int find(std::string_view name) const;
};

// Every parameter of the configuration, in the order of the forward pass.
ParameterTable make_parameter_table(const ModelConfig& config);

}  // namespace surprisal
