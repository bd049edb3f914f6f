#include "model/config.h"

namespace surprisal {

void ModelOptions::visit(OptionVisitor& visitor) {
  const NumberRange dropout{.min = -1, .max = 1, .open_max = true};
  visitor.field("path", path, {}, "start from this checkpoint; excludes every key of [model] but new_heads",
                {.path = true});
  visitor.field("new_heads", new_heads,
                "with path: draw heads that the checkpoint lacks, leave out those of other tasks");
  visitor.field("family", family, {}, "bert, roberta, gpt2, glm, glm-130b, llama or qwen2");
  visitor.field("hidden_size", hidden_size, IntRange{0, ModelLimits::hidden_size}, "width of the model");
  visitor.field("num_hidden_layers", num_hidden_layers, IntRange{0, ModelLimits::layers}, "layers");
  visitor.field("num_attention_heads", num_attention_heads, IntRange{0, ModelLimits::hidden_size},
                "attention heads; they divide hidden_size");
  visitor.field("num_key_value_heads", num_key_value_heads, IntRange{0, ModelLimits::hidden_size},
                "heads of keys and values (llama, qwen2); 0: num_attention_heads");
  visitor.field(
      "intermediate_size", intermediate_size, IntRange{0, ModelLimits::intermediate_size},
      "width of the feed-forward layer; 0: four times hidden_size (glm-130b, llama, qwen2: 8/3 of it)");
  visitor.field("max_position_embeddings", max_position_embeddings, IntRange{0, ModelLimits::positions},
                "longest sequence; 0: data.sequence_length (roberta: and its offset, 514 for 512)");
  visitor.field("type_vocab_size", type_vocab_size, IntRange{0, ModelLimits::types},
                "segments that are told apart; 0: 2 for bert, 1 for roberta (the others have none)");
  visitor.field(
      "hidden_act", hidden_act, {},
      "activation; empty: gelu for bert and roberta, gelu_new for gpt2, silu for llama and qwen2 (glm "
      "and glm-130b have one each)");
  visitor.field(
      "layer_norm_eps", layer_norm_eps, NumberRange{.min = 0, .max = 1},
      "added to the variance in norms; 0: 1e-12 for bert, 1e-6 for llama and qwen2, 1e-5 for the others");
  visitor.field("initializer_range", initializer_range, NumberRange{.min = 0, .max = 1},
                "standard deviation of the first weights (glm-130b: each matrix has its own)");
  visitor.field("rope_theta", rope_theta, NumberRange{.min = 0},
                "base of the rotary frequencies (llama, qwen2); 0: 10000");
  visitor.field("hidden_dropout_prob", hidden_dropout_prob, dropout,
                "dropout on the sublayers' outputs; -1: 0.1 (llama and qwen2 have none)");
  visitor.field("attention_probs_dropout_prob", attention_probs_dropout_prob, dropout,
                "dropout on attention probabilities; -1: 0.1, 0 for llama and qwen2");
  visitor.field("embedding_dropout_prob", embedding_dropout_prob, dropout,
                "dropout on embeddings; -1: as hidden_dropout_prob (bert and roberta have no other)");
  visitor.field("tie_word_embeddings", tie_word_embeddings,
                "the vocabulary head shares the token embedding's weight");
  visitor.field("embedding_gradient_shrink", embedding_gradient_shrink, NumberRange{.min = -1, .max = 1},
                "share of the token embedding's gradient that is kept; -1: the family's (glm-130b: 0.1)");
}

}  // namespace surprisal
