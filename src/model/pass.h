// One pass of a stream through the model: what every sublayer needs to know of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "surprisal/stream.h"

#include "model/config.h"
#include "model/key_value_cache.h"
#include "model/layout.h"
#include "model/tensors.h"
#include "ops/attention.h"
#include "ops/dropout.h"
#include "ops/gemm.h"

namespace surprisal {

// The first `rows` of a tensor laid out for the largest stream. log-sum-exp [H, N] is cut by its second axis
// instead.
inline Tensor first_rows(const Tensor& tensor, std::int64_t rows) {
  return tensor.data ? tensor.rows(0, rows) : tensor;
}

inline LayerNormStatistics first_rows(const LayerNormStatistics& statistics, std::int64_t rows) {
  return {first_rows(statistics.mean, rows), first_rows(statistics.rstd, rows)};
}

// Which dropout of the model: layers count from 0.
inline std::uint32_t embedding_place() {
  return 0;
}
inline std::uint32_t attention_place(std::int64_t layer) {
  return static_cast<std::uint32_t>(3 * layer + 1);
}
inline std::uint32_t attention_output_place(std::int64_t layer) {
  return static_cast<std::uint32_t>(3 * layer + 2);
}
inline std::uint32_t feed_forward_place(std::int64_t layer) {
  return static_cast<std::uint32_t>(3 * layer + 3);
}
// Of the classifier and its pooler, counted from the other end.
inline std::uint32_t classifier_place() {
  return ~std::uint32_t{0};
}
inline std::uint32_t pooler_place() {
  return classifier_place() - 1;
}
inline std::uint32_t prefix_place() {
  return classifier_place() - 2;
}
inline std::uint32_t branch_place(const ModelConfig& config, std::size_t branch) {
  return static_cast<std::uint32_t>(3 * config.num_hidden_layers + 1 + static_cast<std::int64_t>(branch));
}

// Buffers live as long as the model, so that a step allocates nothing once they have grown.
struct Pass {
  Pass(const ModelConfig& model, const ModelTensors& w, const ModelTensors& g, const ModelLayout& memory)
      : config(model), weights(w), gradients(g), layout(memory) {
    if (config.positions != PositionKind::rotary) return;
    rotation = scaled_rotary_frequencies(config.head_size(), config.rotary_base, config.rotary_scaling);
  }

  const ModelConfig& config;
  const ModelTensors& weights;
  const ModelTensors& gradients;
  const ModelLayout& layout;

  const Stream* stream = nullptr;               // the caller's: gone once its call has returned
  std::int64_t rows = 0;                        // its length, which logits() asks for later
  const std::uint64_t* dropout_seed = nullptr;  // null: no dropout
  CachePlaces cached;                           // the caller's: without a cache, rows see rows of the stream
  bool to_input = true;  // whether backward_layer() has to give the gradient of its layer's input
  Write write_matrices = Write::add;  // gradients of the layers' matrices and of the token embedding
  RotaryFrequencies rotation;         // empty where positions are learned
  AttentionPlan attention;
  std::vector<std::int32_t> sequence_begin;  // [N]
  std::vector<DropoutRow> dropout_rows;      // [N], of the place last asked for
  std::vector<DropoutRow> chosen_rows;       // [T], the same of some of them
  std::vector<DropoutRow> prefix_rows;       // [P] of a prefix that is dropped; else empty
  std::vector<std::int32_t> shifted;         // [N] positions behind a prefix
  // Rows' positions, those of the prefix before them.
  std::span<const std::int32_t> position() const {
    return config.prefix_positions() > 0 ? std::span<const std::int32_t>(shifted) : stream->position;
  }

  std::int64_t tokens() const { return rows; }
  void begin(const Stream& next, const std::uint64_t* seed, const CachePlaces& places = {});
  double probability(double p) const { return dropout_seed ? p : 0; }
  // Identities of the rows at one place, all of them or those of `chosen`; empty without dropout.
  std::span<const DropoutRow> rows_at(std::uint32_t place, double p,
                                      std::span<const std::int32_t> chosen = {});
};

void embed(Pass& pass);
void embed_backward(Pass& pass);  // of workspace.gradient

void forward_layer(Pass& pass, std::int64_t layer);
// workspace.gradient holds d(loss)/d(output of the layer) and receives that of its input, unless nothing
// below is trained.
void backward_layer(Pass& pass, std::int64_t layer);

}  // namespace surprisal
