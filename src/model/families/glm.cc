// GLM (Du et al. 2022) as it was published for `transformers`, before that had a family of its own called
// "glm": pre-norm, tanh GELU, learned positions in two tables of one row more than there are positions, and
// the token embedding as vocabulary head. Published files have no prefix; those that
// GLMForConditionalGeneration saved have "glm.".
#include <string>

#include "surprisal/error.h"

#include "model/families/bindings.h"
#include "model/families/classifier.h"
#include "model/families/config_reader.h"
#include "model/families/families.h"
#include "model/families/new_model.h"

namespace surprisal {
namespace {

constexpr const char* kArchitecture = "GLMForConditionalGeneration";
constexpr const char* kActivation = "gelu_new";
constexpr double kEpsilon = 1e-5;
constexpr std::int64_t kWidening = 4;  // feed-forward

// What no key of config.json can change.
ModelConfig shape_of_family() {
  ModelConfig config;
  config.family = "glm";
  config.norm = NormPlacement::pre;
  config.final_norm = true;
  config.scaled_residual_init = true;
  config.activation = Activation::gelu_tanh;
  config.activation_name = kActivation;
  config.layer_norm_eps = kEpsilon;
  return config;
}

// The row beyond the last position was that of sentinel tokens. Block positions count from 1 in a piece, so
// there they are all used.
void set_tables(bool block_positions, ModelConfig& config) {
  if (!block_positions) return;
  config.spare_position_rows = 1;
  config.block_positions = config.max_position_embeddings + 1;
}

void refuse_later_family(const Json& json, const std::string& where) {
  const bool later =
      json.is_object() &&
      (json.contains("rms_norm_eps") || (json.contains("num_hidden_layers") && !json.contains("num_layers")));
  if (!later) return;
  throw Error(
      ErrorKind::data,
      {.what = "a configuration of the later family that `transformers` calls \"glm\" (GLM-4: RMSNorm, "
               "rotary positions), which is not supported",
       .where = where,
       .found = json.contains("rms_norm_eps") ? "rms_norm_eps" : "num_hidden_layers",
       .expected = "the GLM of 2022, with num_layers and max_sequence_length"});
}

void refuse_other_mathematics(ConfigReader& reader) {
  reader.only("relative_encoding", false);
  reader.only("tie_word_embeddings", true);
  reader.only("is_encoder_decoder", false);
  reader.only("pruned_heads", Json::object());
  // How scores are kept from overflowing in f16: they are divided before and multiplied behind.
  reader.number_or("attention_scale", 0, 1e6, 1);
  // auto_map: where the published code lies. output_predict: whether that returns logits. spell_*: no class
  // reads them. pool_token: another head.
  reader.pass_over({"auto_map", "checkpoint_activations", "checkpoint_num_layers", "is_decoder",
                    "output_predict", "parallel_output", "pool_token", "spell_func", "spell_length"});
}

ModelConfig read_config(const Json& json, const std::string& where) {
  refuse_later_family(json, where);
  ConfigReader reader(json, where);
  ModelConfig config = shape_of_family();
  config.vocab_size = reader.size("vocab_size", ModelLimits::vocabulary);
  config.hidden_size = reader.size("hidden_size", ModelLimits::hidden_size);
  config.num_hidden_layers = reader.size("num_layers", ModelLimits::layers);
  config.num_attention_heads = reader.size("num_attention_heads", ModelLimits::hidden_size);
  config.intermediate_size = kWidening * config.hidden_size;
  config.max_position_embeddings = reader.size("max_sequence_length", ModelLimits::positions);
  set_tables(reader.flag_or("block_position_encoding", true), config);
  config.initializer_range = reader.number_or("initializer_range", 0, 1, 0.02);
  config.embedding_dropout = reader.number_or("embedding_dropout_prob", 0, 1, 0.1);
  config.attention_dropout = reader.number_or("attention_dropout_prob", 0, 1, 0.1);
  config.hidden_dropout = reader.number_or("output_dropout_prob", 0, 1, 0.1);
  config.bos_token_id = reader.token_id("bos_token_id", -1, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", -1, config.vocab_size);
  config.pad_token_id = reader.token_id("pad_token_id", -1, config.vocab_size);
  refuse_other_mathematics(reader);
  read_classifier(reader, glm_family(), config);
  if (!config.vocabulary_head()) reader.only("pool_token", "cls");
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_language_model(const ModelConfig& config) {
  return {{"architectures", OrderedJson::array({kArchitecture})},
          {"attention_dropout_prob", config.attention_dropout},
          {"attention_scale", 1.0},
          {"block_position_encoding", config.block_positions > 0},
          {"bos_token_id", token_id_or_null(config.bos_token_id)},
          {"dtype", "float32"},
          {"embedding_dropout_prob", config.embedding_dropout},
          {"eos_token_id", token_id_or_null(config.eos_token_id)},
          {"hidden_size", config.hidden_size},
          {"initializer_range", config.initializer_range},
          {"max_sequence_length", config.max_position_embeddings},
          {"model_type", "glm"},
          {"num_attention_heads", config.num_attention_heads},
          {"num_layers", config.num_hidden_layers},
          {"output_dropout_prob", config.hidden_dropout},
          {"output_predict", true},
          {"pad_token_id", token_id_or_null(config.pad_token_id)},
          {"relative_encoding", false},
          {"tie_word_embeddings", true},
          {"vocab_size", config.vocab_size}};
}

OrderedJson write_config(const ModelConfig& config) {
  OrderedJson json = write_language_model(config);
  write_classifier(glm_family(), config, json);
  if (!config.vocabulary_head()) json["pool_token"] = "cls";
  return json;
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  ModelConfig config = shape_of_family();
  const std::int64_t inner = kWidening * options.hidden_size;
  require_only(!options.hidden_act.empty(), "hidden_act", options.hidden_act, kActivation, config);
  require_only(options.layer_norm_eps > 0, "layer_norm_eps", OrderedJson(options.layer_norm_eps).dump(),
               OrderedJson(kEpsilon).dump(), config);
  require_only(options.intermediate_size > 0, "intermediate_size", std::to_string(options.intermediate_size),
               std::to_string(inner), config);
  require_only(!options.tie_word_embeddings, "tie_word_embeddings", "false", "true", config);
  set_from_options(options, {.activation = kActivation, .layer_norm_eps = kEpsilon}, vocabulary,
                   sequence_length, config);
  set_tables(true, config);
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

void bind_layer(BindingList& list, const std::string& stored, const std::string& layer) {
  list.add_pair(stored + ".input_layernorm", layer + ".attention.norm");
  list.add_pair(stored + ".attention.query_key_value", layer + ".attention.qkv");
  list.add_pair(stored + ".attention.dense", layer + ".attention.output");
  list.add_pair(stored + ".post_attention_layernorm", layer + ".feed_forward.norm");
  list.add_pair(stored + ".mlp.dense_h_to_4h", layer + ".feed_forward.up");
  list.add_pair(stored + ".mlp.dense_4h_to_h", layer + ".feed_forward.down");
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  list.add("word_embeddings.weight", "embedding.token.weight");
  list.add("transformer.position_embeddings.weight", "embedding.position.weight");
  if (config.block_positions > 0) {
    list.add("transformer.block_position_embeddings.weight", "embedding.block_position.weight");
  }
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    bind_layer(list, "transformer.layers." + std::to_string(i), "layer." + std::to_string(i));
  }
  list.add_pair("transformer.final_layernorm", "final_norm");
  bind_classifier(list, glm_family(), config);
  return std::move(list).finish();
}

// Some published files carry a classifier's head along that no language model reads.
bool buffer(std::string_view name) {
  return name.starts_with("dense.") || name.starts_with("out_proj.");
}

std::vector<SharedTensor> shared(const ModelConfig& config) {
  if (!config.vocabulary_head()) return {};
  return {{"lm_head.weight", "word_embeddings.weight"}};
}

}  // namespace

const Family& glm_family() {
  static const Family family{.name = "glm",
                             .architecture = kArchitecture,
                             .any_sight = true,
                             .in_transformers = false,
                             .sequence_classifier = {.architecture = "GLMForSequenceClassification",
                                                     .pooler = "dense",
                                                     .projection = "out_proj",
                                                     .pooler_dropout = true},
                             .body = {"word_embeddings.", "transformer."},
                             .outer_prefix = "glm.",
                             .read_config = read_config,
                             .write_config = write_config,
                             .from_options = from_options,
                             .bindings = bindings,
                             .buffer = buffer,
                             .shared = shared};
  return family;
}

}  // namespace surprisal
