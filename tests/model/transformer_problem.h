// Tiny models and streams, and a model's result on them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"
#include "model/transformer.h"
#include "stream/packing.h"
#include "tests/model/tiny_models.h"

namespace surprisal {

inline const char* family_of_kind(const std::string& kind) {
  for (const char* family : {"glm", "glm-130b", "llama", "qwen2"}) {
    if (kind == family) return family;
  }
  return kind == "bert" || kind == "post" || kind == "sequence classifier" ? "bert" : "gpt2";
}

// Behind the sublayers, heads of a width of their own, biases but for q, k and v.
inline void make_grouped(ModelConfig& config) {
  config.norm_kind = NormKind::rms;
  config.norm = NormPlacement::post;
  config.final_norm = false;
  config.positions = PositionKind::rotary;
  config.gated = true;
  config.num_attention_heads = 6;
  config.num_key_value_heads = 2;
  config.embedding_norm = config.head_transform = true;
  config.head_dim = 4;
  config.qkv_bias = false;
  config.rotary_scaling = {.kind = RotaryScalingKind::yarn, .factor = 4, .original_positions = 8};
  config.type_vocab_size = 2;
  config.pooler = true;
  config.classes = 3;
}

// In place of the vocabulary head: over a final norm, or a pooler whose input is dropped, too.
inline void make_classifier(ModelConfig& config, Task task, std::int64_t classes) {
  config.task = task;
  config.classes = classes;
  config.regression = classes == 1;
  config.tie_word_embeddings = false;
  config.pooler = config.pooler_dropout = task == Task::sequence_classification && classes > 1;
  config.classifier_bias = classes > 1;
}

// The families, and some that use every part in the other order: no sublayer is right only in its family's
// place.
inline ModelConfig tiny_model(const std::string& kind, std::int64_t layers = 2) {
  ModelOptions options = tiny_options(family_of_kind(kind));
  if (options.family == "llama" || options.family == "qwen2") {
    options.num_attention_heads = 6;
    options.num_key_value_heads = 2;
    options.tie_word_embeddings = kind != "llama";
  }
  options.hidden_size = 12;
  options.intermediate_size = kind == "glm" ? 48 : 20;
  options.num_hidden_layers = layers;
  options.hidden_dropout_prob = options.attention_probs_dropout_prob = 0;
  ModelConfig config = find_family(options.family, "").from_options(options, 31, 17);
  if (kind == "pre") {
    config.embedding_norm = config.head_transform = config.head_bias = config.pooler = true;
    config.type_vocab_size = 2;
    config.classes = 3;
    config.activation = Activation::silu;
    config.head_activation = Activation::tanh;
    config.tie_word_embeddings = false;
  }
  if (kind == "post") {
    config.embedding_norm = config.head_transform = config.head_bias = config.pooler = false;
    config.final_norm = true;
    config.activation = Activation::gelu_tanh;
    config.scale_attention = false;
    config.positions_after_padding = true;
    config.pad_token_id = 2;
  }
  if (kind == "gated") {  // before the sublayers: all that GLM-130B has behind them
    config.positions = PositionKind::rotary;
    config.rotary_base = 100;
    config.gated = true;
    config.activation = Activation::silu;
    config.residual_scale = 1.7;
    config.embedding_gradient_shrink = 0.3;
    config.embedding_dropout_first = true;
    config.block_positions = 5;
    config.tie_word_embeddings = false;
  }
  if (kind == "grouped") make_grouped(config);
  if (kind == "sequence classifier") make_classifier(config, Task::sequence_classification, 3);
  if (kind == "token classifier") make_classifier(config, Task::token_classification, 4);
  if (kind == "regression") make_classifier(config, Task::sequence_classification, 1);
  return config;
}
inline void set_dropout(ModelConfig& config, double p) {
  config.embedding_dropout = p;
  config.hidden_dropout = p / 2;
  config.attention_dropout = 1.5 * p;
  if (!config.vocabulary_head()) config.head_dropout = 2 * p;
}

// Weights far enough from their start that every part counts: norms near 1, all else 0.4 wide.
inline void fill_weights(Transformer& model, std::uint64_t seed = 1) {
  Random random({.seed = seed});
  for (std::size_t index = 0; index < model.table().parameters.size(); ++index) {
    const Parameter& parameter = model.table().parameters[index];
    float* weights = model.weight(static_cast<int>(index)).f32();
    for (std::int64_t i = 0; i < parameter.shape.elements(); ++i) {
      weights[i] = static_cast<float>((parameter.initial == Initial::one ? 1 : 0) + 0.4 * random.normal());
    }
  }
}

enum class Sight { full, causal, any };

// One sequence of `size` rows; half of the rows are targets, one of them twice; a label at the first row.
inline Stream random_sequence(const ModelConfig& config, std::int32_t size, std::uint64_t sample,
                              Sight sight) {
  Random random({.seed = 9, .sample = sample});
  const auto below = [&](std::int64_t bound) {
    return static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(bound)));
  };
  Stream stream;
  for (std::int32_t row = 0; row < size; ++row) {
    stream.token.push_back(below(config.vocab_size));
    // Rows of a piece share a position where it is rotary.
    stream.position.push_back(config.learned_positions() ? row : 2 * (row / 2));
    stream.block_position.push_back(config.block_positions > 0 ? below(config.block_positions) : 0);
    stream.segment.push_back(config.type_vocab_size > 0 ? below(config.type_vocab_size) : 0);
    const std::int32_t begin = below(size + 1), end = begin + below(size - begin + 1);
    const Interval seen[] = {{0, size}, {0, row + 1}, {begin, end}};
    stream.visible.push_back(seen[static_cast<int>(sight)]);
    if (!config.vocabulary_head()) continue;
    if (row % 2 == 0)
      stream.target.push_back({row, below(config.vocab_size), 1.0f + static_cast<float>(below(3))});
    if (row == 4) stream.target.push_back({row, below(config.vocab_size), 0.5f});
  }
  for (std::int32_t row = 0;
       config.classes > 0 && row < (config.task == Task::token_classification ? size : 1); row += 2) {
    stream.label.push_back(
        {row, below(config.classes), 1.5f, config.regression ? 0.7f * static_cast<float>(row) - 2 : 0});
  }
  stream.sequence.push_back({.begin = 0, .end = size, .sample = sample, .epoch = 3});
  return stream;
}

inline std::vector<Stream> random_sequences(const ModelConfig& config, Sight sight,
                                            const std::vector<std::int32_t>& sizes = {7, 1, 9, 4}) {
  std::vector<Stream> sequences;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    sequences.push_back(random_sequence(config, sizes[k], 100 + k, sight));
  }
  return sequences;
}
inline Stream pack(const std::vector<Stream>& sequences) {
  Stream packed;
  for (const Stream& sequence : sequences) append(packed, sequence);
  return packed;
}

// lambda * weight / (sum of all weights) of both terms.
struct Scales {
  std::vector<float> token, label;
};
inline Scales scales_of(const Stream& stream, double token_total, double label_total) {
  Scales scales;
  for (const Target& target : stream.target) {
    scales.token.push_back(static_cast<float>(target.weight / token_total));
  }
  for (const Label& label : stream.label) {
    scales.label.push_back(static_cast<float>(0.5 * label.weight / label_total));
  }
  return scales;
}

struct StepResult {
  std::vector<float> token, label;  // surprisals, stream after stream
  std::vector<float> gradients;     // flat
};

// One step over the streams as micro-batches.
inline StepResult run_step(Transformer& model, const std::vector<Stream>& streams,
                           const std::uint64_t* seed) {
  double token_total = 0, label_total = 0;
  for (const Stream& stream : streams) {
    for (const Target& target : stream.target) token_total += target.weight;
    for (const Label& label : stream.label) label_total += label.weight;
  }
  StepResult step;
  model.zero_gradients();
  for (const Stream& stream : streams) {
    const Scales scales = scales_of(stream, token_total, label_total);
    StreamResult result;
    model.accumulate_gradients(stream, {scales.token, scales.label}, seed, result);
    step.token.insert(step.token.end(), result.token.surprisal.begin(), result.token.surprisal.end());
    step.label.insert(step.label.end(), result.label.surprisal.begin(), result.label.surprisal.end());
  }
  step.gradients.assign(model.gradients().begin(), model.gradients().end());
  return step;
}

}  // namespace surprisal
