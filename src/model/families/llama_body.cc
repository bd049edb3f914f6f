#include "model/families/llama_body.h"

#include "model/families/classifier.h"
#include "model/families/rope_parameters.h"

namespace surprisal {
namespace {

constexpr const char* kActivation = "silu";
constexpr double kEpsilon = 1e-6;

void bind_qkv(BindingList& list, const std::string& stored, const std::string& qkv,
              const ModelConfig& config) {
  const std::int64_t query = config.query_size(), key = config.key_size();
  for (const char* tensor : {".weight", ".bias"}) {
    if (tensor == std::string(".bias") && !config.qkv_bias) continue;
    list.add_rows(stored + ".q_proj" + tensor, qkv + tensor, 0, query);
    list.add_rows(stored + ".k_proj" + tensor, qkv + tensor, query, query + key);
    list.add_rows(stored + ".v_proj" + tensor, qkv + tensor, query + key, query + 2 * key);
  }
}

// Our gated feed-forward has its linear half first and the gate behind it.
void bind_feed_forward(BindingList& list, const std::string& stored, const std::string& ours, bool bias) {
  for (const char* tensor : {".weight", ".bias"}) {
    if (tensor == std::string(".bias") && !bias) continue;
    list.add_part(stored + ".up_proj" + tensor, ours + ".up" + tensor, 0, 2);
    list.add_part(stored + ".gate_proj" + tensor, ours + ".up" + tensor, 1, 2);
    list.add(stored + ".down_proj" + tensor, ours + ".down" + tensor);
  }
}

void bind_layer(BindingList& list, const std::string& stored, const std::string& layer,
                const ModelConfig& config) {
  list.add(stored + ".input_layernorm.weight", layer + ".attention.norm.weight");
  bind_qkv(list, stored + ".self_attn", layer + ".attention.qkv", config);
  list.add(stored + ".self_attn.o_proj.weight", layer + ".attention.output.weight");
  if (config.attention_output_bias) {
    list.add(stored + ".self_attn.o_proj.bias", layer + ".attention.output.bias");
  }
  list.add(stored + ".post_attention_layernorm.weight", layer + ".feed_forward.norm.weight");
  bind_feed_forward(list, stored + ".mlp", layer + ".feed_forward", config.feed_forward_bias);
}

}  // namespace

ModelConfig shape_of_llama(const char* family) {
  ModelConfig config;
  config.family = family;
  config.norm = NormPlacement::pre;
  config.norm_kind = NormKind::rms;
  config.final_norm = true;
  config.positions = PositionKind::rotary;
  config.gated = true;
  config.qkv_bias = config.attention_output_bias = config.feed_forward_bias = false;
  return config;
}

void read_llama_body(ConfigReader& reader, ModelConfig& config) {
  config.vocab_size = reader.size("vocab_size", ModelLimits::vocabulary);
  config.hidden_size = reader.size("hidden_size", ModelLimits::hidden_size);
  config.num_hidden_layers = reader.size("num_hidden_layers", ModelLimits::layers);
  config.num_attention_heads = reader.size("num_attention_heads", ModelLimits::hidden_size);
  config.num_key_value_heads =
      reader.size_or("num_key_value_heads", ModelLimits::hidden_size, config.num_attention_heads);
  config.head_dim = reader.size_or("head_dim", ModelLimits::head_size, 0);
  config.intermediate_size = reader.size("intermediate_size", ModelLimits::intermediate_size);
  config.max_position_embeddings = reader.size("max_position_embeddings", ModelLimits::positions);
  reader.activation("hidden_act", kActivation, config);
  config.layer_norm_eps = reader.number_or("rms_norm_eps", 0, 1, kEpsilon);
  config.initializer_range = reader.number_or("initializer_range", 0, 1, 0.02);
  config.attention_dropout = reader.number_or("attention_dropout", 0, 1, 0);
  config.tie_word_embeddings = reader.flag_or("tie_word_embeddings", false);
  config.pad_token_id = reader.token_id("pad_token_id", -1, config.vocab_size);
  read_rope_parameters(reader, config);
  reader.only("is_encoder_decoder", false);
  reader.only("add_cross_attention", false);
  reader.pass_over({"is_decoder"});
}

Json write_llama_body(const ModelConfig& config, const char* architecture) {
  return {{"architectures", Json::array({architecture})},
          {"attention_dropout", config.attention_dropout},
          {"bos_token_id", token_id_or_null(config.bos_token_id)},
          {"dtype", "float32"},
          {"eos_token_id", token_id_or_null(config.eos_token_id)},
          {"hidden_act", config.activation_name},
          {"hidden_size", config.hidden_size},
          {"initializer_range", config.initializer_range},
          {"intermediate_size", config.intermediate_size},
          {"max_position_embeddings", config.max_position_embeddings},
          {"model_type", config.family},
          {"num_attention_heads", config.num_attention_heads},
          {"num_hidden_layers", config.num_hidden_layers},
          {"num_key_value_heads", config.key_heads()},
          {"pad_token_id", token_id_or_null(config.pad_token_id)},
          {"rms_norm_eps", config.layer_norm_eps},
          {"rope_parameters", write_rope_parameters(config)},
          {"tie_word_embeddings", config.tie_word_embeddings},
          {"use_cache", true},
          {"vocab_size", config.vocab_size}};
}

ModelConfig llama_from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                               std::int64_t sequence_length, ModelConfig config) {
  require_only(options.type_vocab_size > 0, "type_vocab_size", std::to_string(options.type_vocab_size), "0",
               config);
  set_from_options(
      options, {.activation = kActivation, .layer_norm_eps = kEpsilon, .grouped_queries = true, .dropout = 0},
      vocabulary, sequence_length, config);
  if (options.intermediate_size == 0) config.intermediate_size = gated_intermediate_size(config.hidden_size);
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

std::vector<Binding> llama_bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  list.add("model.embed_tokens.weight", "embedding.token.weight");
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    bind_layer(list, "model.layers." + std::to_string(i), "layer." + std::to_string(i), config);
  }
  list.add("model.norm.weight", "final_norm.weight");
  if (config.vocabulary_head() && !config.tie_word_embeddings) list.add("lm_head.weight", "head.weight");
  bind_classifier(list, find_family(config.family, "model"), config);
  return std::move(list).finish();
}

// Files before transformers 4.32 hold the frequencies, which follow from the configuration.
bool is_llama_buffer(std::string_view name) {
  return name.ends_with(".rotary_emb.inv_freq");
}

std::vector<SharedTensor> shared_by_llama(const ModelConfig& config) {
  if (!config.vocabulary_head() || !config.tie_word_embeddings) return {};
  return {{"lm_head.weight", "model.embed_tokens.weight"}};
}

}  // namespace surprisal
