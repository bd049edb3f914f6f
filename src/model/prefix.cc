#include "model/prefix.h"

#include <algorithm>

#include "ops/activation.h"
#include "ops/dropout.h"
#include "ops/linear.h"

namespace surprisal {
namespace {

bool reparametrised(const Pass& pass) {
  return pass.config.adaptation.prefix.inner > 0;
}

AttentionPrefix in_layer(const Pass& pass, const Tensor& values, std::int64_t layer) {
  if (!values.data) return {};
  const std::int64_t rows = values.shape[0], stride = values.shape[1], width = pass.config.key_size();
  float* key = values.f32() + 2 * layer * width;
  return {{key, rows, stride}, {key + width, rows, stride}};
}

bool dropped(const Pass& pass) {
  return !pass.prefix_rows.empty();
}

// The table's own gradient is added to; elsewhere those of the layers are gathered first.
bool gathers_gradients(const Pass& pass) {
  return reparametrised(pass) || dropped(pass);
}

void add(const Tensor& from, const Tensor& to) {
  for (std::int64_t i = 0; i < from.elements(); ++i) to.f32()[i] += from.f32()[i];
}

}  // namespace

const Tensor& prefix_of_weights(const Pass& pass) {
  return reparametrised(pass) ? pass.layout.prefix.values : pass.weights.prefix.table;
}

void prefix_forward(const Pass& pass) {
  if (!reparametrised(pass)) return;
  const PrefixTensors& weights = pass.weights.prefix;
  const PrefixActivations& prefix = pass.layout.prefix;
  linear_forward(weights.table, weights.hidden.weight, weights.hidden.bias, prefix.hidden);
  activation_forward(Activation::tanh, prefix.hidden, prefix.activated);
  linear_forward(prefix.activated, weights.output.weight, weights.output.bias, prefix.values);
}

void drop_prefix(Pass& pass) {
  const Prefix& prefix = pass.config.adaptation.prefix;
  const double p = pass.probability(prefix.dropout);
  pass.prefix_rows.clear();
  if (p == 0 || prefix.length == 0) return;
  const DropoutRow first = pass.rows_at(prefix_place(), p).front();
  for (std::int64_t row = 0; row < prefix.length; ++row) {
    pass.prefix_rows.push_back({first.key, first.sample, static_cast<std::uint32_t>(row)});
  }
  dropout_forward(prefix_of_weights(pass), {}, pass.prefix_rows, p, pass.layout.prefix.dropped);
}

void clear_prefix_gradients(const Pass& pass) {
  if (!gathers_gradients(pass)) return;
  const Tensor& gradient = pass.layout.workspace.prefix_gradient;
  std::fill_n(gradient.f32(), gradient.elements(), 0.0f);
}

void prefix_backward(const Pass& pass) {
  if (!gathers_gradients(pass)) return;
  const PrefixTensors &weights = pass.weights.prefix, &gradients = pass.gradients.prefix;
  const PrefixActivations& prefix = pass.layout.prefix;
  const Workspace& workspace = pass.layout.workspace;
  const Tensor& gradient = workspace.prefix_gradient;
  if (dropped(pass)) {
    dropout_backward(gradient, pass.prefix_rows, pass.config.adaptation.prefix.dropout, gradient);
  }
  if (!reparametrised(pass)) return add(gradient, gradients.table);
  const Tensor& hidden = workspace.prefix_hidden;
  linear_backward(prefix.activated, weights.output.weight, gradient, hidden, Write::over,
                  gradients.output.weight, gradients.output.bias, workspace.sums);
  activation_backward(Activation::tanh, prefix.hidden, hidden, hidden);
  linear_backward(weights.table, weights.hidden.weight, hidden, gradients.table, Write::add,
                  gradients.hidden.weight, gradients.hidden.bias, workspace.sums);
}

AttentionPrefix prefix_values(const Pass& pass, std::int64_t layer) {
  return in_layer(pass, dropped(pass) ? pass.layout.prefix.dropped : prefix_of_weights(pass), layer);
}

AttentionPrefix prefix_gradients(const Pass& pass, std::int64_t layer) {
  const Tensor& table = pass.gradients.prefix.table;
  return in_layer(pass, gathers_gradients(pass) ? pass.layout.workspace.prefix_gradient : table, layer);
}

}  // namespace surprisal
