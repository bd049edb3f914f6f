#include "model/parameter.h"

#include <algorithm>
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

void append(Parameter parameter, ParameterTable& table) {
  parameter.offset = table.size;
  table.count += parameter.shape.elements();
  table.size = round_up(table.size + parameter.shape.elements());
  table.parameters.push_back(std::move(parameter));
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

  // PyTorch's Linear as it starts: uniform, +-1 / sqrt(in), weight and bias.
  void uniform_linear(const std::string& name, std::int64_t out, std::int64_t in) {
    const double range = 1 / std::sqrt(static_cast<double>(in));
    add(uniform(name + ".weight", {out, in}, range));
    Parameter bias = uniform(name + ".bias", {out}, range);
    bias.decay = false;
    add(std::move(bias));
  }
  void branch(const LowRankBranch& branch, std::int64_t in) {
    const std::string name = branch_name(branch);
    const std::int64_t out = branch.row_end - branch.row_begin;
    Parameter a = uniform(name + ".lora_A", {branch.rank, in}, 1 / std::sqrt(static_cast<double>(in)));
    if (branch.range > 0) a.initial = Initial::normal, a.range = branch.range;
    add(std::move(a));
    add({.name = name + ".lora_B", .shape = {out, branch.rank}, .decay = true});
    // It starts as the norms of the weight's rows, which are not known here.
    if (branch.magnitude) add({.name = name + ".lora_magnitude", .shape = {out}, .decay = true});
  }
  void prefix(const Prefix& prefix, std::int64_t width) {
    const std::int64_t read = prefix.inner > 0 ? config_.key_size() : width;
    Parameter embedding = weight("prefix", {prefix.length, read}, 1);
    if (prefix.zero) embedding.initial = Initial::zero;
    add(std::move(embedding));
    if (prefix.inner == 0) return;
    uniform_linear("prefix.hidden", prefix.inner, read);
    uniform_linear("prefix.output", width, prefix.inner);
  }
  // Of the parameters that are added from now on.
  void gradients_from(GradientFrom what) { gradient_from_ = what; }

  // What is added from now on belongs to the model's adaptation.
  void begin_adaptation() { of_adaptation_ = true; }

  const ParameterTable& so_far() const { return table_; }
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
  static Parameter uniform(const std::string& name, Shape shape, double range) {
    return {.name = name, .shape = shape, .decay = true, .initial = Initial::uniform, .range = range};
  }
  void affine(Parameter matrix, bool with_bias) {
    const std::string stem = matrix.name.substr(0, matrix.name.rfind('.'));
    const std::int64_t out = matrix.shape[0];
    add(std::move(matrix));
    if (with_bias) add({stem + ".bias", {out}});
  }
  void add(Parameter parameter) {
    parameter.gradient_from = gradient_from_;
    parameter.of_adaptation = of_adaptation_;
    append(std::move(parameter), table_);
  }

  const ModelConfig& config_;
  GradientFrom gradient_from_ = GradientFrom::anything;
  bool of_adaptation_ = false;
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
  if (config.vocabulary_head()) {
    table.gradients_from(GradientFrom::targets);
    if (config.head_transform) {
      table.linear("head.transform", width, width);
      table.norm("head.norm");
    }
    if (!config.tie_word_embeddings) table.embedding("head", config.vocab_size);
    if (config.head_bias) table.bias("head.bias", config.vocab_size);
  }
  table.gradients_from(GradientFrom::labels);
  if (config.pooler) table.linear("pooler", width, width);
  if (config.classes > 0) table.linear("sentence_head", config.classes, width, config.classifier_bias);
}

void add_adaptation(TableBuilder& table, const ModelConfig& config) {
  table.begin_adaptation();
  for (const LowRankBranch& branch : config.adaptation.branches) {
    table.gradients_from(branch.place == LinearPlace::head_transform ? GradientFrom::targets
                         : branch.place == LinearPlace::pooler       ? GradientFrom::labels
                                                                     : GradientFrom::anything);
    const ParameterTable& base = table.so_far();
    const int linear = base.find(linear_name(branch.place, branch.layer) + ".weight");
    table.branch(branch, base.parameters[static_cast<std::size_t>(linear)].shape[1]);
  }
  table.gradients_from(GradientFrom::anything);
  const Prefix& prefix = config.adaptation.prefix;
  if (prefix.length > 0) table.prefix(prefix, config.prefix_width());
}

}  // namespace

int ParameterTable::search(std::string_view name) const {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int ParameterTable::find(std::string_view name) const {
  const int index = search(name);
  assert(index >= 0);
  return index;
}

ParameterTable make_parameter_table(const ModelConfig& config) {
  TableBuilder table(config);
  add_embeddings(table, config);
  for (std::int64_t i = 0; i < config.num_hidden_layers; ++i) {
    add_layer(table, config, "layer." + std::to_string(i));
  }
  if (config.final_norm) table.norm("final_norm");
  add_heads(table, config);
  add_adaptation(table, config);
  return std::move(table).finish();
}

TrainedParameters trained_parameters(const ModelConfig& config, const ParameterTable& whole) {
  TrainedParameters trained;
  const Adaptation& adaptation = config.adaptation;
  const auto take = [&](int index) {
    append(whole.parameters[static_cast<std::size_t>(index)], trained.table);
    trained.index.push_back(index);
  };
  const auto beside = [&](const Parameter& parameter) {
    return std::ranges::any_of(adaptation.trained,
                               [&](const TrainedRows& rows) { return rows.parameter == parameter.name; });
  };
  for (std::size_t i = 0; i < whole.parameters.size(); ++i) {
    const Parameter& parameter = whole.parameters[i];
    if (!adaptation.any() || parameter.of_adaptation || beside(parameter)) take(static_cast<int>(i));
  }
  // Of those that are trained beside, some have rows that are not.
  for (const Parameter& parameter : trained.table.parameters) {
    if (!adaptation.any() || parameter.of_adaptation) continue;
    std::int64_t rows = 0;
    for (const TrainedRows& part : adaptation.trained) {
      if (part.parameter == parameter.name) rows += part.row_end - part.row_begin;
    }
    const std::int64_t width = parameter.shape.elements() / parameter.shape[0];
    trained.table.count -= (parameter.shape[0] - rows) * width;
  }
  return trained;
}

Lowest lowest_trained(const ModelConfig& config, const ParameterTable& trained) {
  const auto any = [&](const std::string& begin) {
    return std::ranges::any_of(trained.parameters,
                               [&](const Parameter& parameter) { return parameter.name.starts_with(begin); });
  };
  const auto layer = [](std::int64_t index) { return "layer." + std::to_string(index) + '.'; };
  Lowest lowest{.embedding = any("embedding.")};
  if (!lowest.embedding && config.adaptation.prefix.length == 0) {
    while (lowest.layer < config.num_hidden_layers && !any(layer(lowest.layer))) ++lowest.layer;
  }
  // With pre-norm, the first norm of a layer lies below its attention.
  const bool norm = config.norm == NormPlacement::pre && any(layer(lowest.layer) + "attention.norm");
  lowest.input = lowest.embedding || norm;
  return lowest;
}

}  // namespace surprisal
