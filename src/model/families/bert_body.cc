#include "model/families/bert_body.h"

#include "surprisal/error.h"

namespace surprisal {
namespace {

void read_sizes(ConfigReader& reader, ModelConfig& config) {
  config.vocab_size = reader.size("vocab_size", ModelLimits::vocabulary);
  config.hidden_size = reader.size("hidden_size", ModelLimits::hidden_size);
  config.num_hidden_layers = reader.size("num_hidden_layers", ModelLimits::layers);
  config.num_attention_heads = reader.size("num_attention_heads", ModelLimits::hidden_size);
  config.intermediate_size = reader.size("intermediate_size", ModelLimits::intermediate_size);
  config.type_vocab_size = reader.size_or("type_vocab_size", ModelLimits::types, 2);
}

void refuse_other_mathematics(ConfigReader& reader, const ModelConfig& config) {
  reader.only("position_embedding_type", "absolute");
  reader.only("is_decoder", false);
  reader.only("add_cross_attention", false);
  reader.only("is_encoder_decoder", false);
  reader.only("embedding_size", config.hidden_size);
  reader.only("pruned_heads", Json::object());
  // pooler_*, directionality: Google's conversion scripts left them behind; no model class reads them.
  reader.pass_over({"directionality", "pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
                    "pooler_size_per_head", "pooler_type"});
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

}  // namespace

ModelConfig shape_of_bert(const char* family) {
  ModelConfig config;
  config.family = family;
  config.norm = NormPlacement::post;
  config.embedding_norm = true;
  config.head_transform = true;
  config.head_bias = true;
  return config;
}

void read_bert_body(ConfigReader& reader, std::int64_t pad_token_id, ModelConfig& config) {
  read_sizes(reader, config);
  reader.activation("hidden_act", "gelu", config);
  config.layer_norm_eps = reader.number_or("layer_norm_eps", 0, 1, 1e-12);
  config.initializer_range = reader.number_or("initializer_range", 0, 1, 0.02);
  config.hidden_dropout = reader.number_or("hidden_dropout_prob", 0, 1, 0.1);
  config.embedding_dropout = config.hidden_dropout;
  config.attention_dropout = reader.number_or("attention_probs_dropout_prob", 0, 1, 0.1);
  config.pad_token_id = reader.token_id("pad_token_id", pad_token_id, config.vocab_size);
  config.tie_word_embeddings = reader.flag_or("tie_word_embeddings", true);
  // The table's rows before the first position are no positions.
  config.max_position_embeddings =
      reader.size_above("max_position_embeddings", config.position_offset(), ModelLimits::positions);
  refuse_other_mathematics(reader, config);
}

void set_bert_body(const ModelOptions& options, const FamilyDefaults& defaults,
                   const ModelVocabulary& vocabulary, std::int64_t sequence_length, ModelConfig& config) {
  set_from_options(options, defaults, vocabulary, sequence_length, config);
  if (config.embedding_dropout == config.hidden_dropout) return;
  throw Error(ErrorKind::usage, {.what = config.family + " has one probability for embeddings and sublayers",
                                 .where = "model.embedding_dropout_prob",
                                 .found = OrderedJson(config.embedding_dropout).dump(),
                                 .expected = OrderedJson(config.hidden_dropout).dump(),
                                 .fix = "leave it out and set hidden_dropout_prob"});
}

OrderedJson write_bert_body(const ModelConfig& config, const char* architecture) {
  return {{"architectures", OrderedJson::array({architecture})},
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
          {"max_position_embeddings", config.max_position_embeddings + config.position_offset()},
          {"model_type", config.family},
          {"num_attention_heads", config.num_attention_heads},
          {"num_hidden_layers", config.num_hidden_layers},
          {"pad_token_id", token_id_or_null(config.pad_token_id)},
          {"position_embedding_type", "absolute"},
          {"tie_word_embeddings", config.tie_word_embeddings},
          {"type_vocab_size", config.type_vocab_size},
          {"use_cache", true},
          {"vocab_size", config.vocab_size}};
}

void bind_bert_body(BindingList& list, const std::string& prefix, const ModelConfig& config) {
  list.add(prefix + "embeddings.word_embeddings.weight", "embedding.token.weight");
  list.add(prefix + "embeddings.position_embeddings.weight", "embedding.position.weight");
  list.add(prefix + "embeddings.token_type_embeddings.weight", "embedding.segment.weight");
  list.add_pair(prefix + "embeddings.LayerNorm", "embedding.norm");
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    bind_layer(list, prefix + "encoder.layer." + std::to_string(i), "layer." + std::to_string(i));
  }
  if (config.vocabulary_head() && config.pooler) list.add_pair(prefix + "pooler.dense", "pooler");
}

bool is_bert_buffer(std::string_view name, const std::string& prefix) {
  return name == prefix + "embeddings.position_ids" || name == prefix + "embeddings.token_type_ids";
}

void bind_masked_head(BindingList& list, const MaskedHeadNames& names, const ModelConfig& config) {
  if (!config.vocabulary_head()) return;
  list.add_pair(names.transform, "head.transform");
  list.add_pair(names.norm, "head.norm");
  // An untied decoder has a bias of its own, beside which `transformers` keeps the head's unused.
  list.add(config.tie_word_embeddings ? names.bias : names.decoder + ".bias", "head.bias");
  if (!config.tie_word_embeddings) list.add(names.decoder + ".weight", "head.weight");
}

std::vector<SharedTensor> shared_by_masked_head(const MaskedHeadNames& names, const std::string& prefix,
                                                const ModelConfig& config) {
  if (!config.vocabulary_head()) return {};
  if (!config.tie_word_embeddings) return {{names.bias, names.decoder + ".bias", false}};
  return {{names.decoder + ".weight", prefix + "embeddings.word_embeddings.weight"},
          {names.decoder + ".bias", names.bias}};
}

}  // namespace surprisal
