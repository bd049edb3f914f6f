// The parameters of a flat array by their place in the model, looked up once. The same struct names weights
// and gradients.
#pragma once

#include <vector>

#include "core/tensor.h"
#include "model/config.h"
#include "model/parameter.h"

namespace surprisal {

struct Affine {  // of a linear layer or a norm
  Tensor weight;
  Tensor bias;  // empty where the configuration has none
};

struct LayerTensors {
  Affine qkv, attention_output, attention_norm, up, down, feed_forward_norm;
};

struct ModelTensors {
  Tensor token_embedding, segment_embedding, block_position_embedding;
  Tensor position_embedding;  // from position 0: the offset is left out
  Affine embedding_norm, final_norm;
  std::vector<LayerTensors> layers;
  Affine head_transform, head_norm;
  Tensor head_weight, head_bias;  // head_weight: token_embedding itself where they are tied
  Affine pooler, sentence_head;
};

// Tensor `parameter` of a flat array laid out as the table says.
Tensor parameter_view(const ParameterTable& table, const Tensor& flat, int parameter);

// Places that the configuration does not have stay empty (data null).
ModelTensors bind_tensors(const ModelConfig& config, const ParameterTable& table, const Tensor& flat);

}  // namespace surprisal
