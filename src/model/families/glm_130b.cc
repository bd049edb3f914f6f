// GLM-130B (Zeng et al. 2023): DeepNorm, GeGLU, rotary positions, gradients of the token embedding shrunk.
// Its layers are written h = norm1(x); a = alpha h + attention(h); m = norm2(a); x' = alpha m +
// feed_forward(m), with a norm behind the last: post-norm in which norm1 of the first layer stands behind the
// embedding, and norm1 of every other one (and the last norm) is that of the feed-forward sublayer before it.
// No configuration was published for it; these are the names of the program that ran it.
#include <cmath>
#include <string>

#include "model/families/bindings.h"
#include "model/families/config_reader.h"
#include "model/families/families.h"
#include "model/families/new_model.h"

namespace surprisal {
namespace {

constexpr const char* kArchitecture = "GLM130B";
constexpr const char* kActivation = "gelu";
constexpr double kEpsilon = 1e-5, kShrink = 0.1;

// What no key of config.json can change, but for the number of layers.
ModelConfig shape_of_family() {
  ModelConfig config;
  config.family = "glm-130b";
  config.norm = NormPlacement::post;
  config.embedding_norm = true;
  config.embedding_dropout_first = true;
  config.positions = PositionKind::rotary;
  config.gated = true;
  config.activation = Activation::gelu;
  config.activation_name = kActivation;
  config.initialisation = Initialisation::deep_norm;
  return config;
}

void set_deep_norm(ModelConfig& config) {
  config.residual_scale = std::sqrt(2.0 * static_cast<double>(config.num_hidden_layers));
}

void refuse_other_mathematics(ConfigReader& reader) {
  reader.only("position_encoding_2d", false);
  reader.only("layernorm_order", "post");
  reader.only("tie_word_embeddings", true);
  reader.only("is_encoder_decoder", false);
  reader.pass_over({"auto_map", "is_decoder"});
}

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  ModelConfig config = shape_of_family();
  config.vocab_size = reader.size("vocab_size", ModelLimits::vocabulary);
  config.hidden_size = reader.size("hidden_size", ModelLimits::hidden_size);
  config.num_hidden_layers = reader.size("num_layers", ModelLimits::layers);
  config.num_attention_heads = reader.size("num_attention_heads", ModelLimits::hidden_size);
  config.intermediate_size = reader.size("inner_hidden_size", ModelLimits::intermediate_size);
  config.max_position_embeddings = reader.size("max_sequence_length", ModelLimits::positions);
  config.layer_norm_eps = reader.number_or("layernorm_epsilon", 0, 1, kEpsilon);
  config.embedding_gradient_shrink = reader.number_or("embedding_gradient_shrink", 0, 1, kShrink);
  config.embedding_dropout = reader.number_or("embedding_dropout_prob", 0, 1, 0.1);
  config.attention_dropout = reader.number_or("attention_dropout_prob", 0, 1, 0.1);
  config.hidden_dropout = reader.number_or("output_dropout_prob", 0, 1, 0.1);
  config.bos_token_id = reader.token_id("bos_token_id", -1, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", -1, config.vocab_size);
  config.pad_token_id = reader.token_id("pad_token_id", -1, config.vocab_size);
  set_deep_norm(config);
  refuse_other_mathematics(reader);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  return {{"architectures", OrderedJson::array({kArchitecture})},
          {"attention_dropout_prob", config.attention_dropout},
          {"bos_token_id", token_id_or_null(config.bos_token_id)},
          {"dtype", "float32"},
          {"embedding_dropout_prob", config.embedding_dropout},
          {"embedding_gradient_shrink", config.embedding_gradient_shrink},
          {"eos_token_id", token_id_or_null(config.eos_token_id)},
          {"hidden_size", config.hidden_size},
          {"inner_hidden_size", config.intermediate_size},
          {"layernorm_epsilon", config.layer_norm_eps},
          {"max_sequence_length", config.max_position_embeddings},
          {"model_type", "glm-130b"},
          {"num_attention_heads", config.num_attention_heads},
          {"num_layers", config.num_hidden_layers},
          {"output_dropout_prob", config.hidden_dropout},
          {"pad_token_id", token_id_or_null(config.pad_token_id)},
          {"tie_word_embeddings", true},
          {"vocab_size", config.vocab_size}};
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  ModelConfig config = shape_of_family();
  require_only(!options.hidden_act.empty(), "hidden_act", options.hidden_act, kActivation, config);
  require_only(!options.tie_word_embeddings, "tie_word_embeddings", "false", "true", config);
  set_from_options(
      options, {.activation = kActivation, .layer_norm_eps = kEpsilon, .embedding_gradient_shrink = kShrink},
      vocabulary, sequence_length, config);
  if (options.intermediate_size == 0) config.intermediate_size = gated_intermediate_size(config.hidden_size);
  set_deep_norm(config);
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

void bind_layer(BindingList& list, const std::string& stored, const std::string& layer,
                const std::string& next_norm, std::int64_t heads) {
  list.add_heads(stored + ".attention.query_key_value", layer + ".attention.qkv", heads);
  list.add_pair(stored + ".attention.dense", layer + ".attention.output");
  list.add_pair(stored + ".post_attention_layernorm", layer + ".attention.norm");
  list.add_pair(stored + ".mlp.dense_h_to_4h", layer + ".feed_forward.up");
  list.add_pair(stored + ".mlp.dense_4h_to_h", layer + ".feed_forward.down");
  list.add_pair(next_norm, layer + ".feed_forward.norm");
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  const auto stored_layer = [](std::int64_t i) { return "transformer.layers." + std::to_string(i); };
  BindingList list(table);
  list.add("transformer.word_embeddings.weight", "embedding.token.weight");
  list.add_pair(stored_layer(0) + ".input_layernorm", "embedding.norm");
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const bool last = i + 1 == config.num_hidden_layers;
    bind_layer(list, stored_layer(i), "layer." + std::to_string(i),
               last ? "transformer.final_layernorm" : stored_layer(i + 1) + ".input_layernorm",
               config.num_attention_heads);
  }
  return std::move(list).finish();
}

bool buffer(std::string_view name) {
  return name.ends_with(".attention.rotary_emb.inv_freq");
}

std::vector<SharedTensor> shared(const ModelConfig&) {
  return {};
}

}  // namespace

const Family& glm_130b_family() {
  static const Family family{.name = "glm-130b",
                             .architecture = kArchitecture,
                             .any_sight = true,
                             .substitutes_blanks = true,
                             .in_transformers = false,
                             .prefix = "transformer.",
                             .read_config = read_config,
                             .write_config = write_config,
                             .from_options = from_options,
                             .bindings = bindings,
                             .buffer = buffer,
                             .shared = shared};
  return family;
}

}  // namespace surprisal
