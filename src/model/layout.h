// Where every tensor of a model in motion lies. One function lays everything out; on measuring arenas it is
// the memory plan, on reserved ones it is the memory.
#pragma once

#include <vector>

#include "core/arena.h"
#include "model/config.h"
#include "model/parameter.h"
#include "model/transformer.h"
#include "ops/layer_norm.h"

namespace surprisal {

// One layer's activations; Q and K are the widths of its queries and of its keys, D both in most models. With
// pre-norm, attention_in and feed_forward_in are the norms' outputs and `output` is output_sum; with
// post-norm, attention_in is `input`, and feed_forward_in and `output` are the norms' outputs.
struct LayerActivations {
  Tensor input;            // f32 [N, D]
  Tensor attention_in;     // f32 [N, D]
  Tensor qkv;              // f32 [N, Q + 2K], queries and keys turned where positions are rotary
  Tensor attended;         // f32 [N, Q]
  Tensor log_sum_exp;      // f32 [H, N]
  Tensor attention_sum;    // f32 [N, D] input + attention
  Tensor feed_forward_in;  // f32 [N, D]
  Tensor up;               // f32 [N, F], [N, 2F] where it is gated: before the activation
  Tensor activated;        // f32 [N, F]
  Tensor output_sum;       // f32 [N, D] sum + feed-forward
  Tensor output;           // f32 [N, D]
  LayerNormStatistics attention_norm, feed_forward_norm;
};

struct HeadActivations {
  Tensor gathered;     // f32 [T, D] rows of the last layer that targets name
  Tensor normed;       // f32 [T, D] behind final_norm; else gathered itself
  Tensor transformed;  // f32 [T, D] before the head's activation
  Tensor activated;    // f32 [T, D]
  Tensor hidden;       // f32 [T, D] what the vocabulary projection reads
  LayerNormStatistics final_norm, transform_norm;
};

struct SentenceActivations {
  Tensor gathered;  // f32 [S, D]
  Tensor normed;    // f32 [S, D]
  Tensor pooled;    // f32 [S, D] before tanh
  Tensor hidden;    // f32 [S, D]
  LayerNormStatistics final_norm;
};

// Of one low-rank branch; R its rank, O the layer's outputs that it adds to.
struct BranchActivations {
  Tensor inner;     // f32 [N, R]
  Tensor directed;  // f32 [N, O], where it has magnitudes
  Tensor norm;      // f32 [O], likewise: of no stream
};

// Of a reparametrised prefix; else empty.
struct PrefixActivations {
  Tensor hidden;     // f32 [P, M] before tanh
  Tensor activated;  // f32 [P, M]
  Tensor values;     // f32 [P, 2 L K]
  Tensor dropped;    // f32 [P, 2 L K], where it has dropout, of the direct form too
};

// Scratch that no step keeps.
struct Workspace {
  Tensor gradient;           // f32 [N, D] of the residual stream
  Tensor row_gradient;       // f32 [N, D] of a sublayer's output or input
  Tensor attended_gradient;  // f32 [N, Q] of the heads' output
  Tensor wide_gradient;      // f32 [N, max(Q + 2K, F or 2F)] of qkv or of the activation
  Tensor head_gradient;      // f32 [T, D]
  Tensor head_gradient2;     // f32 [T, D]
  Tensor sums;               // partial sums of biases and norms
  Tensor attention;
  Tensor rotation;  // f32 [N, head size] cosines and sines of the stream's positions, where they are rotary
  Tensor logits;    // chunks of logits
  Tensor dropped;   // f32 [N, in] what a branch with dropout reads, and its gradient
  Tensor branch;    // f32 [N, O]
  Tensor branch_inner;     // f32 [N, R]
  Tensor prefix_gradient;  // f32 [P, 2 L K], where it is reparametrised or dropped
  Tensor prefix_hidden;    // f32 [P, M]
  Tensor order;            // i32, embedding gradient
};

struct ModelLayout {
  Tensor weights;    // f32 [table.size]
  Tensor gradients;  // f32 [size of the trained table], Mode::train
  Tensor embedded;   // f32 [N, D] sum of embeddings, before their norm; without one, the first layer's input
  LayerNormStatistics embedding_norm;
  std::vector<LayerActivations> layers;
  HeadActivations head;
  SentenceActivations sentence;
  std::vector<BranchActivations> branches;  // as in the adaptation
  PrefixActivations prefix;
  Workspace workspace;
};

struct ModelArenas {
  Arena weights{"weights"}, gradients{"gradients"}, activations{"activations"}, workspace{"workspace"};
  void reserve();
  std::vector<MemoryUse> uses() const;
};

ModelLayout lay_out(const ModelConfig& config, const ParameterTable& table, Mode mode,
                    const Capacity& capacity, std::size_t head_workspace, ModelArenas& arenas);

}  // namespace surprisal
