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

enum class Initial { zero, one, normal, uniform };

// Which steps give a parameter a gradient at all: those of a head only steps with something for it.
enum class GradientFrom { anything, targets, labels };

struct Parameter {
  std::string name;         // ours: "layer.0.attention.qkv.weight"
  Shape shape;              // linear weights are [out, in]
  std::int64_t offset = 0;  // of the first element in the flat array; a multiple of 16
  bool decay = false;       // weight decay acts on it (everything but biases and norms)
  GradientFrom gradient_from = GradientFrom::anything;
  bool of_adaptation = false;  // not one of the checkpoint that is adapted
  Initial initial = Initial::zero;
  double range = 0;            // standard deviation of Initial::normal, half the width of Initial::uniform
  std::int64_t last_rows = 0;  // of the first axis, whose standard deviation is last_range instead
  double last_range = 0;
};

struct ParameterTable {
  std::vector<Parameter> parameters;
  std::int64_t size = 0;   // of the flat array, padding between parameters included
  std::int64_t count = 0;  // of parameters proper
  // Index by name. REQUIRES that it exists.
  int find(std::string_view name) const;
  // The same; -1 where it does not.
  int search(std::string_view name) const;
};

// Every parameter of the configuration, in the order of the forward pass, and behind them those of its
// adaptation.
ParameterTable make_parameter_table(const ModelConfig& config);

// Those of them that training changes, laid out anew: gradients and optimizer state lie as `table` says.
struct TrainedParameters {
  ParameterTable table;
  std::vector<int> index;  // of each in the whole table
};
TrainedParameters trained_parameters(const ModelConfig& config, const ParameterTable& whole);

// Where a backward pass may stop.
struct Lowest {
  std::int64_t layer = 0;  // below it nothing is trained but embeddings
  bool input = true;       // whether the gradient of that layer's input is wanted
  bool embedding = true;   // whether an embedding or its norm is trained
};
Lowest lowest_trained(const ModelConfig& config, const ParameterTable& trained);

}  // namespace surprisal
