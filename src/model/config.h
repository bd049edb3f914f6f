// One configurable transformer. A family (families/) is data: it fills this in from config.json and writes it
// back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/options.h"
#include "model/adaptation.h"
#include "model/rotary_scaling.h"
#include "ops/activation.h"

namespace surprisal {

// The largest sizes that a configuration may name: far above any model, and small enough that no product of
// them overflows 64 bits.
struct ModelLimits {
  static constexpr std::int64_t vocabulary = std::int64_t{1} << 22;
  static constexpr std::int64_t hidden_size = std::int64_t{1} << 17;
  static constexpr std::int64_t head_size = std::int64_t{1} << 10;
  static constexpr std::int64_t intermediate_size = std::int64_t{1} << 20;
  static constexpr std::int64_t layers = std::int64_t{1} << 12;
  static constexpr std::int64_t positions = std::int64_t{1} << 24;
  static constexpr std::int64_t types = std::int64_t{1} << 16;
};

enum class NormPlacement { post, pre };  // after the residual sum (BERT) or before each sublayer (GPT-2)
enum class NormKind { layer, rms };      // rms: neither mean nor bias (Llama)

// A table of learned rows added to the token embedding, or queries and keys turned by their positions.
enum class PositionKind { learned, rotary };

// The published first weights: normal numbers of one range, or of each matrix's own (Xavier), smaller by the
// root of the number of sublayers where DeepNorm wants it.
enum class Initialisation { normal, deep_norm };

// What the heads are for: the vocabulary head, with which a sentence head of pretraining may go, or in its
// place a classifier of whole sequences or of their tokens.
enum class Task { language_model, sequence_classification, token_classification };

struct ModelConfig {
  std::string family;  // "bert", "roberta", "gpt2", "glm", "glm-130b", "llama", "qwen2"
  std::int64_t vocab_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_hidden_layers = 0;
  std::int64_t num_attention_heads = 0;
  std::int64_t num_key_value_heads = 0;  // each serves several query heads (Ainslie et al. 2023); 0: as many
  std::int64_t head_dim = 0;             // 0: hidden_size / num_attention_heads
  std::int64_t intermediate_size = 0;
  std::int64_t max_position_embeddings = 0;  // those of a prefix included; the table may have more rows
  std::int64_t type_vocab_size = 0;          // 0: no segment embeddings
  std::int64_t block_positions = 0;          // rows of the table of block positions (GLM); 0: none

  Activation activation = Activation::gelu;
  std::string activation_name = "gelu";       // as config.json spells it
  std::optional<Activation> head_activation;  // of the head's transform; absent: the same
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;
  bool scaled_residual_init = false;  // output projections of both sublayers start at range / sqrt(2 layers)
  Initialisation initialisation = Initialisation::normal;

  double embedding_dropout = 0;
  double hidden_dropout = 0;  // on both sublayers' outputs
  double attention_dropout = 0;

  NormPlacement norm = NormPlacement::post;
  NormKind norm_kind = NormKind::layer;  // of every norm of the model
  PositionKind positions = PositionKind::learned;
  double rotary_base = 10000;  // of PositionKind::rotary, over the whole head
  RotaryScaling rotary_scaling;
  std::int64_t spare_position_rows = 0;  // of the learned table, behind those that a stream may name
  bool gated = false;                    // feed-forward: half the up projection times f(the other half)
  double residual_scale = 1;             // DeepNorm's alpha: x = norm(alpha x + sublayer(x))
  double embedding_gradient_shrink = 1;  // of the token embedding's gradient, as lookup and as head
  bool embedding_dropout_first = false;  // before embedding_norm, not behind it
  bool scale_attention = true;           // scores are divided by the root of the head size
  bool tie_word_embeddings = true;       // the vocabulary head's weight is the token embedding
  bool positions_after_padding = false;  // RoBERTa: the first position is the row behind pad_token_id
  bool embedding_norm = false;           // a layer norm on the embedding sum
  bool final_norm = false;               // a layer norm behind the last layer
  bool head_transform = false;           // dense, activation, layer norm before the vocabulary projection
  bool head_bias = false;
  bool qkv_bias = true, attention_output_bias = true, feed_forward_bias = true;
  bool pooler = false;       // tanh(dense(row)) before the sentence head
  std::int64_t classes = 0;  // of the sentence head, which is the classifier where there is one; 0: none

  Task task = Task::language_model;
  bool regression = false;                   // the classifier's one "class" is a number
  std::vector<std::string> class_names;      // of a classifier's classes
  std::optional<double> classifier_dropout;  // as config.json has it; absent: the family's
  double head_dropout = 0;                   // of what the classifier reads
  bool pooler_dropout = false;               // ... and of what its pooler reads
  bool classifier_bias = true;

  std::string training_objective;  // that it was last trained by here: "causal"; empty: not known

  std::int64_t bos_token_id = -1, eos_token_id = -1, pad_token_id = -1;  // -1: none

  Adaptation adaptation;

  bool vocabulary_head() const { return task == Task::language_model; }
  std::int64_t head_size() const { return head_dim > 0 ? head_dim : hidden_size / num_attention_heads; }
  std::int64_t key_heads() const {
    return num_key_value_heads > 0 ? num_key_value_heads : num_attention_heads;
  }
  std::int64_t query_size() const { return num_attention_heads * head_size(); }  // what attention writes, too
  std::int64_t key_size() const { return key_heads() * head_size(); }            // and that of the values
  std::int64_t qkv_size() const { return query_size() + 2 * key_size(); }
  std::int64_t up_size() const { return (gated ? 2 : 1) * intermediate_size; }
  bool learned_positions() const { return positions == PositionKind::learned; }
  // Positions that a stream may name: those of the prefix come before them.
  std::int64_t stream_positions() const { return max_position_embeddings - prefix_positions(); }
  std::int64_t prefix_positions() const {
    return adaptation.prefix.shifts_positions ? adaptation.prefix.length : 0;
  }
  std::int64_t prefix_width() const { return 2 * num_hidden_layers * key_size(); }
  // Rows of the position table before that of position 0.
  std::int64_t position_offset() const { return positions_after_padding ? pad_token_id + 1 : 0; }
  std::int64_t position_rows() const {
    return position_offset() + max_position_embeddings + spare_position_rows;
  }
};

// What a new model takes from its tokenizer; an id is -1 where there is none.
struct ModelVocabulary {
  ModelVocabulary(std::int64_t vocab_size, std::int64_t bos = -1, std::int64_t eos = -1,
                  std::int64_t pad = -1)
      : size(vocab_size), bos_token_id(bos), eos_token_id(eos), pad_token_id(pad) {}
  std::int64_t size, bos_token_id, eos_token_id, pad_token_id;
};

// [model]: the same key names for every family, those of BERT's config.json.
struct ModelOptions {
  std::string path;        // start from this checkpoint; every key but new_heads is then refused
  bool new_heads = false;  // of that checkpoint: draw heads that it lacks, leave out those of other tasks
  std::string family;      // bert | roberta | gpt2 | glm | glm-130b | llama | qwen2
  std::int64_t hidden_size = 0, num_hidden_layers = 0, num_attention_heads = 0;
  std::int64_t num_key_value_heads = 0;      // 0: num_attention_heads
  std::int64_t intermediate_size = 0;        // 0: the family's multiple of hidden_size
  std::int64_t max_position_embeddings = 0;  // as config.json counts; 0: for data.sequence_length
  std::int64_t type_vocab_size = 0;          // 0: the family's
  std::string hidden_act;                    // empty: the family's
  double layer_norm_eps = 0;                 // 0: the family's
  double initializer_range = 0.02;
  double rope_theta = 0;                                               // 0: the family's
  double hidden_dropout_prob = -1, attention_probs_dropout_prob = -1;  // -1: the family's
  double embedding_dropout_prob = -1;                                  // -1: as hidden_dropout_prob
  bool tie_word_embeddings = true;
  double embedding_gradient_shrink = -1;  // -1: the family's
  void visit(OptionVisitor& visitor);
};

}  // namespace surprisal
