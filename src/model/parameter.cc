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
    add(weight(name, {rows, config_.hidden_size}, range(rows, config_.hidden_size)));
  }
  void linear(const std::string& name, std::int64_t out, std::int64_t in, bool with_bias = true) {
    affine(weight(name, {out, in}, range(out, in)), with_bias);
  }
  // A projection that writes to the residual stream, or the gates of one. `parts`: equal blocks of rows that
  // are matrices of their own.
  void scaled_linear(const std::string& name, std::int64_t out, std::int64_t in, bool with_bias,
                     std::int64_t parts = 1) {
    affine(weight(name, {out, in}, residual_scale() * range(out / parts, in)), with_bias);
  }
  void qkv(const std::string& name) {
    const std::int64_t width = config_.hidden_size;
    Parameter parameter = weight(name, {config_.qkv_size(), width}, range(config_.query_size(), width));
    if (config_.initialisation == Initialisation::deep_norm) {
      // Of the paper: V alone starts smaller. (The published training code scaled the last third of the rows
      // before it read them as [head][q, k, v], so there some heads started smaller, with their q and k.)
      parameter.last_rows = config_.key_size();
      parameter.last_range = residual_scale() * parameter.range;
    }
    affine(std::move(parameter), config_.qkv_bias);
  }
  void norm(const std::string& name) {
    add({.name = name + ".weight", .shape = {config_.hidden_size}, .initial = Initial::one});
    if (config_.norm_kind == NormKind::layer) add({name + ".bias", {config_.hidden_size}});
  }
  void bias(const std::string& name, std::int64_t size) { add({name, {size}}); }
  // Of the parameters that are added from now on.
  void gradients_from(GradientFrom what) { gradient_from_ = what; }

  ParameterTable finish() && { return std::move(table_); }

 private:
  // Xavier: Glorot and Bengio 2010, eq. 16 as a normal distribution.
  double range(std::int64_t out, std::int64_t in) const {
    if (config_.initialisation == Initialisation::normal) return config_.initializer_range;
    return std::sqrt(2.0 / static_cast<double>(out + in));
  }
  // One over the root of the number of sublayers: GPT-2's (Radford et al. 2019, section 2.3), and DeepNorm's
  // beta as GLM-130B took it (Zeng et al. 2022, section 2.1).
  double residual_scale() const {
    const bool scaled = config_.scaled_residual_init || config_.initialisation == Initialisation::deep_norm;
    return scaled ? 1 / std::sqrt(2.0 * static_cast<double>(config_.num_hidden_layers)) : 1;
  }
  static Parameter weight(const std::string& name, Shape shape, double range) {
    return {
        .name = name + ".weight", .shape = shape, .decay = true, .initial = Initial::normal, .range = range};
  }
  void affine(Parameter matrix, bool with_bias) {
    const std::string stem = matrix.name.substr(0, matrix.name.rfind('.'));
    const std::int64_t out = matrix.shape[0];
    add(std::move(matrix));
    if (with_bias) add({stem + ".bias", {out}});
  }
  void add(Parameter parameter) {
    parameter.offset = table_.size;
    parameter.gradient_from = gradient_from_;
    table_.count += parameter.shape.elements();
    table_.size = round_up(table_.size + parameter.shape.elements());
    table_.parameters.push_back(std::move(parameter));
  }

  const ModelConfig& config_;
  GradientFrom gradient_from_ = GradientFrom::anything;
  ParameterTable table_;
};

void add_embeddings(TableBuilder& table, const ModelConfig& config) {
  table.embedding("embedding.token", config.vocab_size);
  if (config.learned_positions()) table.embedding("embedding.position", config.position_rows());
  if (config.block_positions > 0) table.embedding("embedding.block_position", config.block_positions);
  if (config.type_vocab_size > 0) table.embedding("embedding.segment", config.type_vocab_size);
  if (config.embedding_norm) table.norm("embedding.norm");
}

void add_layer(TableBuilder& table, const ModelConfig& config, const std::string& layer) {
  const std::int64_t width = config.hidden_size, inner = config.intermediate_size;
  const bool pre = config.norm == NormPlacement::pre;
  if (pre) table.norm(layer + ".attention.norm");
  table.qkv(layer + ".attention.qkv");
  table.scaled_linear(layer + ".attention.output", width, config.query_size(), config.attention_output_bias);
  table.norm(layer + (pre ? ".feed_forward.norm" : ".attention.norm"));
  const std::string up = layer + ".feed_forward.up";
  if (config.initialisation == Initialisation::deep_norm) {
    table.scaled_linear(up, config.up_size(), width, config.feed_forward_bias, config.gated ? 2 : 1);
  } else {
    table.linear(up, config.up_size(), width, config.feed_forward_bias);
  }
  table.scaled_linear(layer + ".feed_forward.down", width, inner, config.feed_forward_bias);
  if (!pre) table.norm(layer + ".feed_forward.norm");
}

void add_heads(TableBuilder& table, const ModelConfig& config) {
  const std::int64_t width = config.hidden_size;
  table.gradients_from(GradientFrom::targets);
  if (config.head_transform) {
    table.linear("head.transform", width, width);
    table.norm("head.norm");
  }
  if (!config.tie_word_embeddings) table.embedding("head", config.vocab_size);
  if (config.head_bias) table.bias("head.bias", config.vocab_size);
  table.gradients_from(GradientFrom::labels);
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
