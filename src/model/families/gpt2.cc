// GPT-2 (Radford et al. 2019) as `transformers` stores it: GPT2LMHeadModel.
#include <string>

#include "model/families/bindings.h"
#include "model/families/classifier.h"
#include "model/families/config_reader.h"
#include "model/families/families.h"
#include "model/families/new_model.h"

namespace surprisal {
namespace {

constexpr const char* kArchitecture = "GPT2LMHeadModel";
constexpr std::int64_t kEndOfText = 50256;  // <|endoftext|> of OpenAI's vocabulary, both begin and end

// What no key of config.json can change.
ModelConfig shape_of_family() {
  ModelConfig config;
  config.family = "gpt2";
  config.norm = NormPlacement::pre;
  config.final_norm = true;
  config.scaled_residual_init = true;
  return config;
}

void read_sizes(ConfigReader& reader, ModelConfig& config) {
  config.vocab_size = reader.size("vocab_size", ModelLimits::vocabulary);
  config.hidden_size = reader.size("n_embd", ModelLimits::hidden_size);
  config.num_hidden_layers = reader.size("n_layer", ModelLimits::layers);
  config.num_attention_heads = reader.size("n_head", ModelLimits::hidden_size);
  config.intermediate_size =
      reader.size_or("n_inner", ModelLimits::intermediate_size, 4 * config.hidden_size);
  config.max_position_embeddings = reader.size("n_positions", ModelLimits::positions);
}

void refuse_other_mathematics(ConfigReader& reader) {
  reader.only("scale_attn_by_inverse_layer_idx", false);
  reader.only("add_cross_attention", false);
  reader.only("is_encoder_decoder", false);
  reader.only("pruned_heads", Json::object());
  // reorder_and_upcast_attn only rounds differently; n_ctx is n_positions' old twin; summary_*: another head.
  reader.pass_over({"is_decoder", "n_ctx", "n_special", "predict_special_tokens", "reorder_and_upcast_attn",
                    "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type",
                    "summary_use_proj"});
}

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  ModelConfig config = shape_of_family();
  read_sizes(reader, config);
  reader.activation("activation_function", "gelu_new", config);
  config.layer_norm_eps = reader.number_or("layer_norm_epsilon", 0, 1, 1e-5);
  config.initializer_range = reader.number_or("initializer_range", 0, 1, 0.02);
  config.hidden_dropout = reader.number_or("resid_pdrop", 0, 1, 0.1);
  config.embedding_dropout = reader.number_or("embd_pdrop", 0, 1, 0.1);
  config.attention_dropout = reader.number_or("attn_pdrop", 0, 1, 0.1);
  config.bos_token_id = reader.token_id("bos_token_id", kEndOfText, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", kEndOfText, config.vocab_size);
  config.pad_token_id = reader.token_id("pad_token_id", -1, config.vocab_size);
  config.scale_attention = reader.flag_or("scale_attn_weights", true);
  config.tie_word_embeddings = reader.flag_or("tie_word_embeddings", true);
  refuse_other_mathematics(reader);
  read_classifier(reader, gpt2_family(), config);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_language_model(const ModelConfig& config) {
  return {{"activation_function", config.activation_name},
          {"architectures", OrderedJson::array({kArchitecture})},
          {"attn_pdrop", config.attention_dropout},
          {"bos_token_id", token_id_or_null(config.bos_token_id)},
          {"dtype", "float32"},
          {"embd_pdrop", config.embedding_dropout},
          {"eos_token_id", token_id_or_null(config.eos_token_id)},
          {"initializer_range", config.initializer_range},
          {"layer_norm_epsilon", config.layer_norm_eps},
          {"model_type", "gpt2"},
          {"n_embd", config.hidden_size},
          {"n_head", config.num_attention_heads},
          {"n_inner", config.intermediate_size},
          {"n_layer", config.num_hidden_layers},
          {"n_positions", config.max_position_embeddings},
          {"pad_token_id", token_id_or_null(config.pad_token_id)},
          {"resid_pdrop", config.hidden_dropout},
          {"scale_attn_by_inverse_layer_idx", false},
          {"scale_attn_weights", config.scale_attention},
          {"tie_word_embeddings", config.tie_word_embeddings},
          {"use_cache", true},
          {"vocab_size", config.vocab_size}};
}

OrderedJson write_config(const ModelConfig& config) {
  OrderedJson json = write_language_model(config);
  write_classifier(gpt2_family(), config, json);
  return json;
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  ModelConfig config = shape_of_family();
  set_from_options(options, {.activation = "gelu_new", .layer_norm_eps = 1e-5}, vocabulary, sequence_length,
                   config);
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

// Conv1D keeps its weight as [in, out].
void bind_layer(BindingList& list, const std::string& stored, const std::string& layer) {
  constexpr bool kTransposed = true;
  list.add_pair(stored + ".ln_1", layer + ".attention.norm");
  list.add_pair(stored + ".attn.c_attn", layer + ".attention.qkv", kTransposed);
  list.add_pair(stored + ".attn.c_proj", layer + ".attention.output", kTransposed);
  list.add_pair(stored + ".ln_2", layer + ".feed_forward.norm");
  list.add_pair(stored + ".mlp.c_fc", layer + ".feed_forward.up", kTransposed);
  list.add_pair(stored + ".mlp.c_proj", layer + ".feed_forward.down", kTransposed);
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  list.add("transformer.wte.weight", "embedding.token.weight");
  list.add("transformer.wpe.weight", "embedding.position.weight");
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    bind_layer(list, "transformer.h." + std::to_string(i), "layer." + std::to_string(i));
  }
  list.add_pair("transformer.ln_f", "final_norm");
  if (config.vocabulary_head() && !config.tie_word_embeddings) list.add("lm_head.weight", "head.weight");
  bind_classifier(list, gpt2_family(), config);
  return std::move(list).finish();
}

// The causal mask was a buffer of every attention until transformers 4.3x.
bool buffer(std::string_view name) {
  return name.starts_with("transformer.h.") &&
         (name.ends_with(".attn.bias") || name.ends_with(".attn.masked_bias"));
}

std::vector<SharedTensor> shared(const ModelConfig& config) {
  if (!config.vocabulary_head() || !config.tie_word_embeddings) return {};
  return {{"lm_head.weight", "transformer.wte.weight"}};
}

}  // namespace

const Family& gpt2_family() {
  static const Family family{.name = "gpt2",
                             .architecture = kArchitecture,
                             .decoder = true,
                             .sequence_classifier = {.architecture = "GPT2ForSequenceClassification",
                                                     .projection = "score",
                                                     .bias = false,
                                                     .dropout = false},
                             .token_classifier = {.architecture = "GPT2ForTokenClassification",
                                                  .projection = "classifier",
                                                  .usual_dropout = 0.1},
                             .prefix = "transformer.",
                             .body = {"wte.", "wpe.", "h.", "ln_f."},
                             .read_config = read_config,
                             .write_config = write_config,
                             .from_options = from_options,
                             .bindings = bindings,
                             .buffer = buffer,
                             .shared = shared};
  return family;
}

}  // namespace surprisal
