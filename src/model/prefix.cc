#include "model/prefix.h"

#include <algorithm>

#include "ops/activation.h"
#include "ops/linear.h"

namespace surprisal {
namespace {

bool reparametrised(const Pass& pass) {
  return pass.config.adaptation.prefix.inner > 0;
}

// [P, 2 L K], of each row: of every layer its keys, then its values (PEFT's order).
AttentionPrefix in_layer(const Pass& pass, const Tensor& values, std::int64_t layer) {
  if (!values.data) return {};
  const std::int64_t rows = values.shape[0], stride = values.shape[1], width = pass.config.key_size();
  float* key = values.f32() + 2 * layer * width;
  return {{key, rows, stride}, {key + width, rows, stride}};
}

}  // namespace

void prefix_forward(const Pass& pass) {
  if (!reparametrised(pass)) return;
  const PrefixTensors& weights = pass.weights.prefix;
  const PrefixActivations& prefix = pass.layout.prefix;
  linear_forward(weights.table, weights.hidden.weight, weights.hidden.bias, prefix.hidden);
  activation_forward(Activation::tanh, prefix.hidden, prefix.activated);
  linear_forward(prefix.activated, weights.output.weight, weights.output.bias, prefix.values);
}

void clear_prefix_gradients(const Pass& pass) {
  if (!reparametrised(pass)) return;  // the table's own gradient is added to
  const Tensor& gradient = pass.layout.workspace.prefix_gradient;
  std::fill_n(gradient.f32(), gradient.elements(), 0.0f);
}

void prefix_backward(const Pass& pass) {
  if (!reparametrised(pass)) return;
  const PrefixTensors &weights = pass.weights.prefix, &gradients = pass.gradients.prefix;
  const PrefixActivations& prefix = pass.layout.prefix;
  const Workspace& workspace = pass.layout.workspace;
  const Tensor& hidden = workspace.prefix_hidden;
  linear_backward(prefix.activated, weights.output.weight, workspace.prefix_gradient, hidden, Write::over,
                  gradients.output.weight, gradients.output.bias, workspace.sums);
  activation_backward(Activation::tanh, prefix.hidden, hidden, hidden);
  linear_backward(weights.table, weights.hidden.weight, hidden, gradients.table, Write::add,
                  gradients.hidden.weight, gradients.hidden.bias, workspace.sums);
}

AttentionPrefix prefix_values(const Pass& pass, std::int64_t layer) {
  return in_layer(pass, reparametrised(pass) ? pass.layout.prefix.values : pass.weights.prefix.table, layer);
}

AttentionPrefix prefix_gradients(const Pass& pass, std::int64_t layer) {
  const Tensor& table = pass.gradients.prefix.table;
  return in_layer(pass, reparametrised(pass) ? pass.layout.workspace.prefix_gradient : table, layer);
}

}  // namespace surprisal
