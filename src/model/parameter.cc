#include "model/parameter.h"

#include <cassert>
#include <cmath>
#include <utility>

namespace surprisal {
namespace {

// A cache line of floats: every parameter starts on one, and SIMD loops over it need no peeling.
constexpr std::int64_t kOffsetStep = 16;

std::int64_t round_up(std::int64_t offset) {
  return (offset + kOffsetStep - 1) / kOffsetStep * kOffsetStep;
}

class TableBuilder {
 public:
  explicit TableBuilder(const ModelConfig& config) : config_(config) {}

  void embedding(const std::string& name, std::int64_t rows) {
    weight(name + ".weight", {rows, config_.hidden_size}, config_.initializer_range);
  }
  void linear(const std::string& name, std::int64_t out, std::int64_t in, double range) {
    weight(name + ".weight", {out, in}, range);
    add({name + ".bias", {out}});
  }
  void linear(const std::string& name, std::int64_t out, std::int64_t in) {
    linear(name, out, in, config_.initializer_range);
  }
  void norm(const std::string& name) {
    add({.name = name + ".weight", .shape = {config_.hidden_size}, .initial = Initial::one});
    add({name + ".bias", {config_.hidden_size}});
  }
  void bias(const std::string& name, std::int64_t size) { add({name, {size}}); }

  ParameterTable finish() && { return std::move(table_); }

 private:
  void weight(const std::string& name, Shape shape, double range) {
    add({.name = name, .shape = shape, .decay = true, .initial = Initial::normal, .range = range});
  }
  void add(Parameter parameter) {
    parameter.offset = table_.size;
    table_.count += parameter.shape.elements();
    table_.size = round_up(table_.size + parameter.shape.elements());
    table_.parameters.push_back(std::move(parameter));
  }

  const ModelConfig& config_;
  ParameterTable table_;
};

void add_embeddings(TableBuilder& table, const ModelConfig& config) {
  table.embedding("embedding.token", config.vocab_size);
  table.embedding("embedding.position", config.max_position_embeddings + config.position_offset());
  if (config.type_vocab_size > 0) table.embedding("embedding.segment", config.type_vocab_size);
  if (config.embedding_norm) table.norm("embedding.norm");
}

// GPT-2 starts the projections that write to the residual stream smaller, by the root of their number: two a
// layer (Radford et al. 2019, section 2.3).
double residual_range(const ModelConfig& config) {
  if (!config.scaled_residual_init) return config.initializer_range;
  return config.initializer_range / std::sqrt(2.0 * static_cast<double>(config.num_hidden_layers));
}

void add_layer(TableBuilder& table, const ModelConfig& config, const std::string& layer) {
  const std::int64_t width = config.hidden_size, inner = config.intermediate_size;
  const bool pre = config.norm == NormPlacement::pre;
  if (pre) table.norm(layer + ".attention.norm");
  table.linear(layer + ".attention.qkv", 3 * width, width);
  table.linear(layer + ".attention.output", width, width, residual_range(config));
  table.norm(layer + (pre ? ".feed_forward.norm" : ".attention.norm"));
  table.linear(layer + ".feed_forward.up", inner, width);
  table.linear(layer + ".feed_forward.down", width, inner, residual_range(config));
  if (!pre) table.norm(layer + ".feed_forward.norm");
}

void add_heads(TableBuilder& table, const ModelConfig& config) {
  const std::int64_t width = config.hidden_size;
  if (config.head_transform) {
    table.linear("head.transform", width, width);
    table.norm("head.norm");
  }
  if (!config.tie_word_embeddings) table.embedding("head", config.vocab_size);
  if (config.head_bias) table.bias("head.bias", config.vocab_size);
  if (config.pooler) table.linear("pooler", width, width);
  if (config.classes > 0) table.linear("sentence_head", config.classes, width);
}

}  // namespace

int ParameterTable::find(std::string_view name) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) return static_cast<int>(i);
  }
  assert(!"a parameter of that name exists");
  return -1;
}

ParameterTable make_parameter_table(const ModelConfig& config) {
  TableBuilder table(config);
  add_embeddings(table, config);
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    add_layer(table, config, "layer." + std::to_string(i));
  }
  if (config.final_norm) table.norm("final_norm");
  add_heads(table, config);
  return std::move(table).finish();
}

}  // namespace surprisal
