// BERT (Devlin et al. 2018) as `transformers` stores it: BertForPreTraining, and BertForMaskedLM, which is
// the same without pooler and sentence head.
#include <string>

#include "model/families/bindings.h"
#include "model/families/config_reader.h"
#include "model/families/families.h"
#include "model/families/new_model.h"

namespace surprisal {
namespace {

constexpr const char* kPreTraining = "BertForPreTraining";
constexpr const char* kMaskedLM = "BertForMaskedLM";

// What no key of config.json can change.
ModelConfig shape_of_family(bool sentence_head) {
  ModelConfig config;
  config.family = "bert";
  config.norm = NormPlacement::post;
  config.embedding_norm = true;
  config.head_transform = true;
  config.head_bias = true;
  config.pooler = sentence_head;
  config.classes = sentence_head ? 2 : 0;
  return config;
}

void read_sizes(ConfigReader& reader, ModelConfig& config) {
  config.vocab_size = reader.size("vocab_size", ModelLimits::vocabulary);
  config.hidden_size = reader.size("hidden_size", ModelLimits::hidden_size);
  config.num_hidden_layers = reader.size("num_hidden_layers", ModelLimits::layers);
  config.num_attention_heads = reader.size("num_attention_heads", ModelLimits::hidden_size);
  config.intermediate_size = reader.size("intermediate_size", ModelLimits::intermediate_size);
  config.max_position_embeddings = reader.size("max_position_embeddings", ModelLimits::positions);
  config.type_vocab_size = reader.size_or("type_vocab_size", ModelLimits::types, 2);
}

void refuse_other_mathematics(ConfigReader& reader, const ModelConfig& config) {
  reader.only("position_embedding_type", "absolute");
  reader.only("tie_word_embeddings", true);
  reader.only("is_decoder", false);
  reader.only("add_cross_attention", false);
  reader.only("is_encoder_decoder", false);
  reader.only("embedding_size", config.hidden_size);
  reader.only("pruned_heads", Json::object());
  // pooler_*, directionality: Google's conversion scripts left them behind; no model class reads them.
  reader.pass_over({"classifier_dropout", "directionality", "pooler_fc_size", "pooler_num_attention_heads",
                    "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"});
}

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  const bool masked_only = reader.has_architecture(kMaskedLM) && !reader.has_architecture(kPreTraining);
  ModelConfig config = shape_of_family(!masked_only);
  read_sizes(reader, config);
  reader.activation("hidden_act", "gelu", config);
  config.layer_norm_eps = reader.number_or("layer_norm_eps", 0, 1, 1e-12);
  config.initializer_range = reader.number_or("initializer_range", 0, 1, 0.02);
  config.hidden_dropout = reader.number_or("hidden_dropout_prob", 0, 1, 0.1);
  config.embedding_dropout = config.hidden_dropout;
  config.attention_dropout = reader.number_or("attention_probs_dropout_prob", 0, 1, 0.1);
  config.bos_token_id = reader.token_id("bos_token_id", -1, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", -1, config.vocab_size);
  config.pad_token_id = reader.token_id("pad_token_id", 0, config.vocab_size);
  refuse_other_mathematics(reader, config);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  return {{"architectures", OrderedJson::array({config.classes > 0 ? kPreTraining : kMaskedLM})},
          {"attention_probs_dropout_prob", config.attention_dropout},
          {"bos_token_id", token_id_or_null(config.bos_token_id)},
          {"classifier_dropout", nullptr},
          {"dtype", "float32"},
          {"eos_token_id", token_id_or_null(config.eos_token_id)},
          {"hidden_act", config.activation_name},
          {"hidden_dropout_prob", config.hidden_dropout},
          {"hidden_size", config.hidden_size},
          {"initializer_range", config.initializer_range},
          {"intermediate_size", config.intermediate_size},
          {"layer_norm_eps", config.layer_norm_eps},
          {"max_position_embeddings", config.max_position_embeddings},
          {"model_type", "bert"},
          {"num_attention_heads", config.num_attention_heads},
          {"num_hidden_layers", config.num_hidden_layers},
          {"pad_token_id", token_id_or_null(config.pad_token_id)},
          {"position_embedding_type", "absolute"},
          {"tie_word_embeddings", true},
          {"type_vocab_size", config.type_vocab_size},
          {"use_cache", true},
          {"vocab_size", config.vocab_size}};
}

ModelConfig from_options(const ModelOptions& options, std::int64_t vocab_size, std::int64_t sequence_length) {
  ModelConfig config = shape_of_family(true);
  config.type_vocab_size = options.type_vocab_size;
  set_from_options(options, {.activation = "gelu", .layer_norm_eps = 1e-12}, vocab_size, sequence_length,
                   config);
  if (config.embedding_dropout != config.hidden_dropout) {
    throw Error(ErrorKind::usage, {.what = "bert has one probability for embeddings and sublayers",
                                   .where = "model.embedding_dropout_prob",
                                   .found = OrderedJson(config.embedding_dropout).dump(),
                                   .expected = OrderedJson(config.hidden_dropout).dump(),
                                   .fix = "leave it out and set hidden_dropout_prob"});
  }
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

void bind_layer(BindingList& list, const std::string& stored, const std::string& layer) {
  constexpr const char* kParts[] = {"query", "key", "value"};
  for (int part = 0; part < 3; ++part) {
    for (const char* tensor : {".weight", ".bias"}) {
      list.add_part(stored + ".attention.self." + kParts[part] + tensor, layer + ".attention.qkv" + tensor,
                    part, 3);
    }
  }
  list.add_pair(stored + ".attention.output.dense", layer + ".attention.output");
  list.add_pair(stored + ".attention.output.LayerNorm", layer + ".attention.norm");
  list.add_pair(stored + ".intermediate.dense", layer + ".feed_forward.up");
  list.add_pair(stored + ".output.dense", layer + ".feed_forward.down");
  list.add_pair(stored + ".output.LayerNorm", layer + ".feed_forward.norm");
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  list.add("bert.embeddings.word_embeddings.weight", "embedding.token.weight");
  list.add("bert.embeddings.position_embeddings.weight", "embedding.position.weight");
  list.add("bert.embeddings.token_type_embeddings.weight", "embedding.segment.weight");
  list.add_pair("bert.embeddings.LayerNorm", "embedding.norm");
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    bind_layer(list, "bert.encoder.layer." + std::to_string(i), "layer." + std::to_string(i));
  }
  list.add_pair("cls.predictions.transform.dense", "head.transform");
  list.add_pair("cls.predictions.transform.LayerNorm", "head.norm");
  list.add("cls.predictions.bias", "head.bias");
  if (config.pooler) list.add_pair("bert.pooler.dense", "pooler");
  if (config.classes > 0) list.add_pair("cls.seq_relationship", "sentence_head");
  return std::move(list).finish();
}

bool ignored(std::string_view stored) {
  return stored == "bert.embeddings.position_ids" || stored == "cls.predictions.decoder.weight" ||
         stored == "cls.predictions.decoder.bias";
}

}  // namespace

const Family& bert_family() {
  static const Family family{"bert",       kPreTraining, false,    read_config,
                             write_config, from_options, bindings, ignored};
  return family;
}

}  // namespace surprisal
