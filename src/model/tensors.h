// The parameters of a flat array by their place in the model, looked up once. The same struct names weights
// and gradients: of the latter, those that are not trained stay empty (data null).
#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"
#include "model/config.h"
#include "model/parameter.h"

namespace surprisal {

struct Affine {  // of a linear layer or a norm
  Tensor weight;
  Tensor bias;  // empty where the configuration has none
};

// A low-rank branch beside a linear layer.
struct BranchTensors {
  std::int64_t row_begin = 0, row_end = 0;  // of the layer's outputs
  Tensor a;                                 // f32 [r, in]
  Tensor b;                                 // f32 [rows, r]
  Tensor magnitude;                         // f32 [rows]; empty where the branch has none
  float scale = 1;
  double dropout = 0;
  std::size_t index = 0;  // in the adaptation's branches
};

struct Linear : Affine {
  std::vector<BranchTensors> branches{};
};

struct LayerTensors {
  Linear qkv, attention_output;
  Affine attention_norm;
  Linear up, down;
  Affine feed_forward_norm;
};

// Keys and values of a prefix.
struct PrefixTensors {
  Tensor table;           // f32 [P, 2 L K]: of each layer its keys, then its values; [P, K] with an MLP
  Affine hidden, output;  // the MLP's: K to its width, and that to 2 L K
};

struct ModelTensors {
  Tensor token_embedding, segment_embedding, block_position_embedding;
  Tensor position_embedding;  // from position 0: the offset is left out
  Affine embedding_norm, final_norm;
  std::vector<LayerTensors> layers;
  Linear head_transform;
  Affine head_norm;
  Tensor head_weight, head_bias;  // head_weight: token_embedding itself where they are tied
  Linear pooler;
  Affine sentence_head;
  PrefixTensors prefix;
};

// Tensor `parameter` of a flat array laid out as the table says.
Tensor parameter_view(const ParameterTable& table, const Tensor& flat, int parameter);

// Places that the table does not have stay empty.
ModelTensors bind_tensors(const ModelConfig& config, const ParameterTable& table, const Tensor& flat);

}  // namespace surprisal
