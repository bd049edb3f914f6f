// One layer: attention and feed-forward sublayers, each with its norm and residual.
#include <cmath>

#include "model/linear_layer.h"
#include "model/norm.h"
#include "model/pass.h"
#include "model/prefix.h"
#include "ops/activation.h"
#include "ops/gated_activation.h"
#include "ops/rotary.h"

namespace surprisal {
namespace {

// A layer's tensors cut to the stream's rows.
LayerActivations rows_of(const LayerActivations& whole, std::int64_t rows) {
  LayerActivations layer = whole;
  for (Tensor* tensor :
       {&layer.input, &layer.attention_in, &layer.qkv, &layer.attended, &layer.attention_sum,
        &layer.feed_forward_in, &layer.up, &layer.activated, &layer.output_sum, &layer.output}) {
    *tensor = first_rows(*tensor, rows);
  }
  for (LayerNormStatistics* norm : {&layer.attention_norm, &layer.feed_forward_norm}) {
    *norm = first_rows(*norm, rows);
  }
  return layer;
}

AttentionShape attention_shape(const ModelConfig& config) {
  const double scale = config.scale_attention ? 1 / std::sqrt(static_cast<double>(config.head_size())) : 1;
  return {config.num_attention_heads, config.key_heads(), config.head_size(), static_cast<float>(scale)};
}

struct QkvHeads {
  HeadTensor query, key, value;
};

// Both read the same table: the gradient is turned back by what forward turned by.
void rotate(const Pass& pass, const QkvHeads& heads) {
  if (pass.config.positions != PositionKind::rotary) return;
  const Tensor table = first_rows(pass.layout.workspace.rotation, pass.tokens());
  rotary_forward(table, pass.config.num_attention_heads, pass.config.head_size(), heads.query);
  rotary_forward(table, pass.config.key_heads(), pass.config.head_size(), heads.key);
}

void rotate_backward(const Pass& pass, const QkvHeads& gradients) {
  if (pass.config.positions != PositionKind::rotary) return;
  const Tensor table = first_rows(pass.layout.workspace.rotation, pass.tokens());
  rotary_backward(table, pass.config.num_attention_heads, pass.config.head_size(), gradients.query);
  rotary_backward(table, pass.config.key_heads(), pass.config.head_size(), gradients.key);
}

QkvHeads split_qkv(const ModelConfig& config, const Tensor& qkv) {
  const std::int64_t rows = qkv.shape[0], stride = qkv.shape[1];
  float* key = qkv.f32() + config.query_size();
  return {{qkv.f32(), rows, stride}, {key, rows, stride}, {key + config.key_size(), rows, stride}};
}

// Keys and values that rows of this layer see: their own stream's, or, once they are kept there, the cache's.
QkvHeads through_cache(const Pass& pass, std::int64_t index, const QkvHeads& heads) {
  KeyValueCache* cache = pass.cached.cache;
  if (!cache) return heads;
  cache->store(index, pass.cached.slot, heads.key, heads.value);
  return {heads.query, cache->keys(index), cache->values(index)};
}

HeadTensor heads_of(const Tensor& tensor) {
  return {tensor.f32(), tensor.shape[0], tensor.shape[1]};
}

AttentionDropout attention_dropout(Pass& pass, std::int64_t index) {
  double p = pass.probability(pass.config.attention_dropout);
  return {p, pass.rows_at(attention_place(index), p), pass.sequence_begin};
}

// sum = residual_scale residual + dropout(x)
void add_residual(Pass& pass, const Tensor& x, const Tensor& residual, std::uint32_t place,
                  const Tensor& sum) {
  double p = pass.probability(pass.config.hidden_dropout);
  dropout_forward(x, residual, pass.rows_at(place, p), p, sum,
                  static_cast<float>(pass.config.residual_scale));
}

// What the gradient of a residual sum becomes: itself, scaled, and what comes through the sublayer.
Write onto_residual(const Pass& pass) {
  return Write::onto(static_cast<float>(pass.config.residual_scale));
}

// The gradient that reaches a sublayer's output: `gradient` itself, or a dropped copy of it in `scratch`.
Tensor through_dropout(Pass& pass, const Tensor& gradient, std::uint32_t place, const Tensor& scratch) {
  double p = pass.probability(pass.config.hidden_dropout);
  if (p == 0) return gradient;
  dropout_backward(gradient, pass.rows_at(place, p), p, scratch);
  return scratch;
}

void activate(const ModelConfig& config, const Tensor& up, const Tensor& activated) {
  if (config.gated) {
    gated_activation_forward(config.activation, up, activated);
  } else {
    activation_forward(config.activation, up, activated);
  }
}

// d(loss)/d(up) from `arriving`, which is d(loss)/d(down's output).
void down_backward(Pass& pass, std::int64_t index, const LayerActivations& layer, const Tensor& arriving,
                   const Tensor& dup) {
  const Linear& down = pass.weights.layers[static_cast<std::size_t>(index)].down;
  const Linear& gradient = pass.gradients.layers[static_cast<std::size_t>(index)].down;
  // The gradient of the activated rows lies where that of `up` will, in its first columns.
  const Matrix activated_gradient = matrix(dup).column_range(0, layer.activated.shape[1]);
  backward_linear(pass, down, gradient, layer.activated, arriving, activated_gradient, Write::over,
                  pass.write_matrices);
  if (pass.config.gated) {
    gated_activation_backward(pass.config.activation, layer.up, dup);
  } else {
    activation_backward(pass.config.activation, layer.up, dup, dup);
  }
}

void attention_sublayer(Pass& pass, std::int64_t index, const LayerActivations& layer) {
  const ModelConfig& config = pass.config;
  const LayerTensors& weights = pass.weights.layers[static_cast<std::size_t>(index)];
  const Workspace& workspace = pass.layout.workspace;
  Tensor projected = first_rows(workspace.row_gradient, pass.tokens());
  forward_linear(pass, weights.qkv, layer.attention_in, layer.qkv);
  QkvHeads heads = split_qkv(config, layer.qkv);
  rotate(pass, heads);
  heads = through_cache(pass, index, heads);
  attention_forward(attention_shape(config), pass.attention, heads.query, heads.key, heads.value,
                    attention_dropout(pass, index), heads_of(layer.attended), layer.log_sum_exp,
                    workspace.attention, prefix_values(pass, index));
  forward_linear(pass, weights.attention_output, layer.attended, projected);
  add_residual(pass, projected, layer.input, attention_output_place(index), layer.attention_sum);
}

void feed_forward_sublayer(Pass& pass, std::int64_t index, const LayerActivations& layer,
                           const Tensor& residual) {
  const LayerTensors& weights = pass.weights.layers[static_cast<std::size_t>(index)];
  Tensor projected = first_rows(pass.layout.workspace.row_gradient, pass.tokens());
  forward_linear(pass, weights.up, layer.feed_forward_in, layer.up);
  activate(pass.config, layer.up, layer.activated);
  forward_linear(pass, weights.down, layer.activated, projected);
  add_residual(pass, projected, residual, feed_forward_place(index), layer.output_sum);
}

// Leaves d(loss)/d(feed_forward_in) in `out`, written or added.
void feed_forward_backward(Pass& pass, std::int64_t index, const LayerActivations& layer,
                           const Tensor& gradient, const Tensor& out, Write write) {
  const LayerTensors& weights = pass.weights.layers[static_cast<std::size_t>(index)];
  const LayerTensors& gradients = pass.gradients.layers[static_cast<std::size_t>(index)];
  const Workspace& workspace = pass.layout.workspace;
  Tensor scratch = first_rows(workspace.row_gradient, pass.tokens());
  Tensor wide{.data = workspace.wide_gradient.data, .shape = layer.up.shape};
  Tensor arriving = through_dropout(pass, gradient, feed_forward_place(index), scratch);
  down_backward(pass, index, layer, arriving, wide);
  backward_linear(pass, weights.up, gradients.up, layer.feed_forward_in, wide, matrix(out), write,
                  pass.write_matrices);
}

// Leaves d(loss)/d(attention_in) in `out`, written or added, where that is wanted.
void attention_sublayer_backward(Pass& pass, std::int64_t index, const LayerActivations& layer,
                                 const Tensor& gradient, const Tensor& out, Write write) {
  const LayerTensors& weights = pass.weights.layers[static_cast<std::size_t>(index)];
  const LayerTensors& gradients = pass.gradients.layers[static_cast<std::size_t>(index)];
  const Workspace& workspace = pass.layout.workspace;
  Tensor scratch = first_rows(workspace.row_gradient, pass.tokens());
  Tensor wide{.data = workspace.wide_gradient.data, .shape = layer.qkv.shape};
  Tensor attended_gradient = first_rows(workspace.attended_gradient, pass.tokens());
  Tensor arriving = through_dropout(pass, gradient, attention_output_place(index), scratch);
  backward_linear(pass, weights.attention_output, gradients.attention_output, layer.attended, arriving,
                  matrix(attended_gradient), Write::over, pass.write_matrices);
  QkvHeads heads = split_qkv(pass.config, layer.qkv), head_gradients = split_qkv(pass.config, wide);
  attention_backward(attention_shape(pass.config), pass.attention, heads.query, heads.key, heads.value,
                     attention_dropout(pass, index), heads_of(layer.attended), layer.log_sum_exp,
                     heads_of(attended_gradient), head_gradients.query, head_gradients.key,
                     head_gradients.value, workspace.attention, prefix_values(pass, index),
                     prefix_gradients(pass, index));
  rotate_backward(pass, head_gradients);
  backward_linear(pass, weights.qkv, gradients.qkv, layer.attention_in, wide,
                  pass.to_input ? matrix(out) : Matrix(), write, pass.write_matrices);
}

}  // namespace

void forward_layer(Pass& pass, std::int64_t index) {
  const ModelConfig& config = pass.config;
  LayerActivations layer = rows_of(pass.layout.layers[static_cast<std::size_t>(index)], pass.tokens());
  const LayerTensors& weights = pass.weights.layers[static_cast<std::size_t>(index)];
  auto norm = [&](const Tensor& x, const Affine& affine, const Tensor& y,
                  const LayerNormStatistics& statistics) { norm_forward(config, affine, x, y, statistics); };
  if (config.norm == NormPlacement::pre) {
    norm(layer.input, weights.attention_norm, layer.attention_in, layer.attention_norm);
    attention_sublayer(pass, index, layer);
    norm(layer.attention_sum, weights.feed_forward_norm, layer.feed_forward_in, layer.feed_forward_norm);
    feed_forward_sublayer(pass, index, layer, layer.attention_sum);
  } else {
    attention_sublayer(pass, index, layer);
    norm(layer.attention_sum, weights.attention_norm, layer.feed_forward_in, layer.attention_norm);
    feed_forward_sublayer(pass, index, layer, layer.feed_forward_in);
    norm(layer.output_sum, weights.feed_forward_norm, layer.output, layer.feed_forward_norm);
  }
}

void backward_layer(Pass& pass, std::int64_t index) {
  LayerActivations layer = rows_of(pass.layout.layers[static_cast<std::size_t>(index)], pass.tokens());
  const LayerTensors& weights = pass.weights.layers[static_cast<std::size_t>(index)];
  const LayerTensors& gradients = pass.gradients.layers[static_cast<std::size_t>(index)];
  const Workspace& workspace = pass.layout.workspace;
  Tensor gradient = first_rows(workspace.gradient, pass.tokens());
  Tensor inner = first_rows(workspace.row_gradient, pass.tokens());
  auto through_norm = [&](const Tensor& x, const Affine& affine, const Affine& affine_gradient,
                          const LayerNormStatistics& statistics, const Tensor& dy, Write write) {
    norm_backward(pass.config, affine, affine_gradient, x, statistics, dy, gradient, write, workspace.sums);
  };
  if (pass.config.norm == NormPlacement::pre) {
    feed_forward_backward(pass, index, layer, gradient, inner, Write::over);
    through_norm(layer.attention_sum, weights.feed_forward_norm, gradients.feed_forward_norm,
                 layer.feed_forward_norm, inner, onto_residual(pass));
    attention_sublayer_backward(pass, index, layer, gradient, inner, Write::over);
    if (!pass.to_input) return;
    through_norm(layer.input, weights.attention_norm, gradients.attention_norm, layer.attention_norm, inner,
                 onto_residual(pass));
  } else {
    through_norm(layer.output_sum, weights.feed_forward_norm, gradients.feed_forward_norm,
                 layer.feed_forward_norm, gradient, Write::over);
    feed_forward_backward(pass, index, layer, gradient, gradient, onto_residual(pass));
    through_norm(layer.attention_sum, weights.attention_norm, gradients.attention_norm, layer.attention_norm,
                 gradient, Write::over);
    attention_sublayer_backward(pass, index, layer, gradient, gradient, onto_residual(pass));
  }
}

}  // namespace surprisal
