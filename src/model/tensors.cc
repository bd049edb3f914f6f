#include "model/tensors.h"

#include <string>

#include <fmt/format.h>

namespace surprisal {

Tensor parameter_view(const ParameterTable& table, const Tensor& flat, int parameter) {
  const Parameter& entry = table.parameters[static_cast<std::size_t>(parameter)];
  return {.data = flat.f32() + entry.offset, .shape = entry.shape};
}

namespace {

class Binder {
 public:
  Binder(const Adaptation& adaptation, const ParameterTable& table, const Tensor& flat)
      : adaptation_(adaptation), table_(table), flat_(flat) {}

  Tensor find(const std::string& name) const {
    const int parameter = table_.search(name);
    return parameter < 0 ? Tensor() : parameter_view(table_, flat_, parameter);
  }
  Affine affine(const std::string& name) const { return {find(name + ".weight"), find(name + ".bias")}; }
  Linear linear(LinearPlace place, std::int64_t layer = 0) const {
    Linear linear{affine(linear_name(place, layer))};
    for (std::size_t index = 0; index < adaptation_.branches.size(); ++index) {
      const LowRankBranch& branch = adaptation_.branches[index];
      if (branch.place != place || branch.layer != layer) continue;
      const std::string name = branch_name(branch);
      linear.branches.push_back({.row_begin = branch.row_begin,
                                 .row_end = branch.row_end,
                                 .a = find(name + ".lora_A"),
                                 .b = find(name + ".lora_B"),
                                 .magnitude = find(name + ".lora_magnitude"),
                                 .scale = static_cast<float>(branch.scale),
                                 .dropout = branch.dropout,
                                 .index = index});
    }
    return linear;
  }
  LayerTensors layer(std::int64_t index) const {
    const std::string name = fmt::format("layer.{}.", index);
    return {linear(LinearPlace::qkv, index),  linear(LinearPlace::attention_output, index),
            affine(name + "attention.norm"),  linear(LinearPlace::up, index),
            linear(LinearPlace::down, index), affine(name + "feed_forward.norm")};
  }

 private:
  const Adaptation& adaptation_;
  const ParameterTable& table_;
  const Tensor& flat_;
};

}  // namespace

ModelTensors bind_tensors(const ModelConfig& config, const ParameterTable& table, const Tensor& flat) {
  const Binder bind(config.adaptation, table, flat);
  ModelTensors tensors;
  tensors.token_embedding = bind.find("embedding.token.weight");
  tensors.position_embedding = bind.find("embedding.position.weight");
  if (tensors.position_embedding.data) {
    const Tensor& positions = tensors.position_embedding;
    tensors.position_embedding = positions.rows(config.position_offset(), positions.shape[0]);
  }
  tensors.block_position_embedding = bind.find("embedding.block_position.weight");
  tensors.segment_embedding = bind.find("embedding.segment.weight");
  tensors.embedding_norm = bind.affine("embedding.norm");
  for (std::int64_t index = 0; index < config.num_hidden_layers; ++index) {
    tensors.layers.push_back(bind.layer(index));
  }
  tensors.final_norm = bind.affine("final_norm");
  tensors.head_transform = bind.linear(LinearPlace::head_transform);
  tensors.head_norm = bind.affine("head.norm");
  const bool shared = config.vocabulary_head() && config.tie_word_embeddings;
  tensors.head_weight = shared ? tensors.token_embedding : bind.find("head.weight");
  tensors.head_bias = bind.find("head.bias");
  tensors.pooler = bind.linear(LinearPlace::pooler);
  tensors.sentence_head = bind.affine("sentence_head");
  tensors.prefix = {bind.find("prefix.weight"), bind.affine("prefix.hidden"), bind.affine("prefix.output")};
  return tensors;
}

}  // namespace surprisal
