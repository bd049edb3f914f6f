#include "model/families/new_model.h"

#include <string>
#include <utility>

#include "surprisal/error.h"

#include "ops/activation.h"

namespace surprisal {
namespace {

void set_grouped_queries(const ModelOptions& options, bool supported, ModelConfig& config) {
  if (!supported) {
    require_only(options.num_key_value_heads > 0, "num_key_value_heads",
                 std::to_string(options.num_key_value_heads), std::to_string(config.num_attention_heads),
                 config);
    require_only(options.rope_theta > 0, "rope_theta", OrderedJson(options.rope_theta).dump(),
                 config.positions == PositionKind::rotary ? OrderedJson(config.rotary_base).dump() : "0",
                 config);
    return;
  }
  config.num_key_value_heads = options.num_key_value_heads;
  if (options.rope_theta > 0) config.rotary_base = options.rope_theta;
}

// `usual`: where the options say nothing. 0: the family drops attention probabilities alone.
void set_dropouts(const ModelOptions& options, double usual, ModelConfig& config) {
  const auto of = [](double given, double fallback) { return given < 0 ? fallback : given; };
  config.attention_dropout = of(options.attention_probs_dropout_prob, usual);
  config.hidden_dropout = of(options.hidden_dropout_prob, usual);
  config.embedding_dropout = of(options.embedding_dropout_prob, config.hidden_dropout);
  if (usual > 0) return;
  for (const auto& [key, found] : {std::pair{"hidden_dropout_prob", config.hidden_dropout},
                                   {"embedding_dropout_prob", config.embedding_dropout}}) {
    require_only(true, key, OrderedJson(found).dump(), "0.0", config);
  }
}

}  // namespace

std::int64_t gated_intermediate_size(std::int64_t hidden_size) {
  return (8 * hidden_size + 23) / 24 * 8;
}

void set_from_options(const ModelOptions& options, const FamilyDefaults& defaults,
                      const ModelVocabulary& vocabulary, std::int64_t sequence_length, ModelConfig& config) {
  const std::string name = options.hidden_act.empty() ? defaults.activation : options.hidden_act;
  const auto activation = find_activation(name);
  if (!activation) {
    throw Error(ErrorKind::usage, {.what = "unknown activation",
                                   .where = "model.hidden_act",
                                   .found = '"' + name + '"',
                                   .expected = "one of " + activation_names()});
  }
  config.activation = *activation;
  config.activation_name = name;
  config.vocab_size = vocabulary.size;
  config.hidden_size = options.hidden_size;
  config.num_hidden_layers = options.num_hidden_layers;
  config.num_attention_heads = options.num_attention_heads;
  config.intermediate_size = options.intermediate_size ? options.intermediate_size : 4 * options.hidden_size;
  config.bos_token_id = vocabulary.bos_token_id;
  config.eos_token_id = vocabulary.eos_token_id;
  config.pad_token_id = vocabulary.pad_token_id >= 0 ? vocabulary.pad_token_id : defaults.pad_token_id;
  config.max_position_embeddings = options.max_position_embeddings
                                       ? options.max_position_embeddings - config.position_offset()
                                       : sequence_length;
  const double shrink = options.embedding_gradient_shrink;
  if (defaults.embedding_gradient_shrink == 1) {
    require_only(shrink >= 0, "embedding_gradient_shrink", OrderedJson(shrink).dump(), "1.0", config);
  }
  config.embedding_gradient_shrink = shrink < 0 ? defaults.embedding_gradient_shrink : shrink;
  config.tie_word_embeddings = options.tie_word_embeddings;
  config.layer_norm_eps = options.layer_norm_eps > 0 ? options.layer_norm_eps : defaults.layer_norm_eps;
  config.initializer_range = options.initializer_range;
  set_grouped_queries(options, defaults.grouped_queries, config);
  set_dropouts(options, defaults.dropout, config);
}

void require_only(bool given, const char* key, const std::string& found, const std::string& expected,
                  const ModelConfig& config) {
  if (!given || found == expected) return;
  throw Error(ErrorKind::usage,
              {.what = std::string("a model of family ") + config.family + " has one " + key,
               .where = std::string("model.") + key,
               .found = found,
               .expected = expected});
}

OrderedJson token_id_or_null(std::int64_t id) {
  return id < 0 ? OrderedJson(nullptr) : OrderedJson(id);
}

}  // namespace surprisal
