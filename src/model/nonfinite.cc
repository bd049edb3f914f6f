#include "model/nonfinite.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace surprisal {
namespace {

struct Named {
  const char* op;
  const Tensor* tensor;
};

// Rows of the present stream alone: behind them lies what earlier ones left.
bool finite(const Tensor& tensor, std::int64_t rows) {
  const std::int64_t row = tensor.elements() / tensor.shape[0];
  return !find_nonfinite(tensor.f32(), std::min(rows, tensor.shape[0]) * row);
}

}  // namespace

std::optional<std::int64_t> find_nonfinite(const float* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) return i;
  }
  return std::nullopt;
}

std::optional<std::string> nonfinite_activation(const Pass& pass, std::int64_t layer) {
  const LayerActivations& all = pass.layout.layers[static_cast<std::size_t>(layer)];
  const Named order[] = {{"input", &all.input},
                         {"norm before attention", &all.attention_in},
                         {"query, key and value projection", &all.qkv},
                         {"attention", &all.attended},
                         {"attention output projection", &all.attention_sum},
                         {"norm before the feed-forward", &all.feed_forward_in},
                         {"feed-forward up projection", &all.up},
                         {"activation", &all.activated},
                         {"feed-forward down projection", &all.output_sum},
                         {"output", &all.output}};
  for (const Named& named : order) {
    if (named.tensor->data && !finite(*named.tensor, pass.tokens())) {
      return fmt::format("layer {}, {}", layer, named.op);
    }
  }
  return std::nullopt;
}

std::vector<std::string> nonfinite_parameters(const ParameterTable& table, const Tensor& flat) {
  std::vector<std::string> names;
  for (const Parameter& parameter : table.parameters) {
    if (find_nonfinite(flat.f32() + parameter.offset, parameter.shape.elements())) {
      names.push_back(parameter.name);
    }
  }
  return names;
}

}  // namespace surprisal
