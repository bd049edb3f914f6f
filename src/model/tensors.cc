#include "model/tensors.h"

#include <string>

#include <fmt/format.h>

namespace surprisal {

Tensor parameter_view(const ParameterTable& table, const Tensor& flat, int parameter) {
  const Parameter& entry = table.parameters[static_cast<std::size_t>(parameter)];
  return {.data = flat.f32() + entry.offset, .shape = entry.shape};
}

ModelTensors bind_tensors(const ModelConfig& config, const ParameterTable& table, const Tensor& flat) {
  auto find = [&](const std::string& name) { return parameter_view(table, flat, table.find(name)); };
  auto affine = [&](const std::string& name, bool with_bias = true) {
    return Affine{find(name + ".weight"), with_bias ? find(name + ".bias") : Tensor()};
  };
  auto norm = [&](const std::string& name) { return affine(name, config.norm_kind == NormKind::layer); };
  ModelTensors tensors;
  tensors.token_embedding = find("embedding.token.weight");
  if (config.learned_positions()) {
    const Tensor positions = find("embedding.position.weight");
    tensors.position_embedding = positions.rows(config.position_offset(), positions.shape[0]);
  }
  if (config.block_positions > 0) tensors.block_position_embedding = find("embedding.block_position.weight");
  if (config.type_vocab_size > 0) tensors.segment_embedding = find("embedding.segment.weight");
  if (config.embedding_norm) tensors.embedding_norm = norm("embedding.norm");
  for (std::int64_t index = 0; index < config.num_hidden_layers; ++index) {
    std::string layer = fmt::format("layer.{}.", index);
    tensors.layers.push_back(
        {affine(layer + "attention.qkv", config.qkv_bias),
         affine(layer + "attention.output", config.attention_output_bias), norm(layer + "attention.norm"),
         affine(layer + "feed_forward.up", config.feed_forward_bias),
         affine(layer + "feed_forward.down", config.feed_forward_bias), norm(layer + "feed_forward.norm")});
  }
  if (config.final_norm) tensors.final_norm = norm("final_norm");
  if (config.head_transform) {
    tensors.head_transform = affine("head.transform");
    tensors.head_norm = norm("head.norm");
  }
  tensors.head_weight = config.tie_word_embeddings ? tensors.token_embedding : find("head.weight");
  if (config.head_bias) tensors.head_bias = find("head.bias");
  if (config.pooler) tensors.pooler = affine("pooler");
  if (config.classes > 0) tensors.sentence_head = affine("sentence_head");
  return tensors;
}

}  // namespace surprisal
