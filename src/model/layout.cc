#include "model/layout.h"

#include <algorithm>

#include "model/norm.h"
#include "ops/attention.h"
#include "ops/embedding.h"
#include "ops/linear.h"
#include "ops/linear_cross_entropy.h"

namespace surprisal {
namespace {

LayerNormStatistics take_statistics(const ModelConfig& config, Arena& arena, std::int64_t rows) {
  const bool mean = config.norm_kind == NormKind::layer;
  return {mean ? arena.take({rows}) : Tensor(), arena.take({rows})};
}

LayerActivations take_layer(const ModelConfig& config, std::int64_t tokens, const Tensor& input,
                            Arena& arena) {
  const bool pre = config.norm == NormPlacement::pre;
  const std::int64_t width = config.hidden_size;
  LayerActivations layer;
  layer.input = input;
  layer.attention_in = pre ? arena.take({tokens, width}) : input;
  layer.qkv = arena.take({tokens, config.qkv_size()});
  layer.attended = arena.take({tokens, config.query_size()});
  layer.log_sum_exp = arena.take({config.num_attention_heads, tokens});
  layer.attention_sum = arena.take({tokens, width});
  layer.feed_forward_in = arena.take({tokens, width});
  layer.up = arena.take({tokens, config.up_size()});
  layer.activated = arena.take({tokens, config.intermediate_size});
  layer.output_sum = arena.take({tokens, width});
  layer.output = pre ? layer.output_sum : arena.take({tokens, width});
  layer.attention_norm = take_statistics(config, arena, tokens);
  layer.feed_forward_norm = take_statistics(config, arena, tokens);
  return layer;
}

// Training keeps every layer; evaluation needs one layer at a time, and two of them in turn since a layer's
// output is the next one's input.
void take_layers(const ModelConfig& config, Mode mode, std::int64_t tokens, Arena& arena,
                 ModelLayout& layout) {
  std::int64_t distinct =
      mode == Mode::train ? config.num_hidden_layers : std::min<std::int64_t>(2, config.num_hidden_layers);
  Tensor first = arena.take({tokens, config.hidden_size});
  Tensor input = first;
  for (std::int64_t index = 0; index < distinct; ++index) {
    layout.layers.push_back(take_layer(config, tokens, input, arena));
    input = layout.layers.back().output;
  }
  for (std::int64_t index = distinct; index < config.num_hidden_layers; ++index) {
    LayerActivations layer = layout.layers[static_cast<std::size_t>(index % 2)];
    layer.input = layout.layers.back().output;
    if (config.norm == NormPlacement::post) layer.attention_in = layer.input;
    layout.layers.push_back(layer);
  }
}

HeadActivations take_head(const ModelConfig& config, std::int64_t targets, Arena& arena) {
  HeadActivations head;
  head.gathered = arena.take({targets, config.hidden_size});
  head.normed = config.final_norm ? arena.take({targets, config.hidden_size}) : head.gathered;
  head.hidden = head.normed;
  if (config.final_norm) head.final_norm = take_statistics(config, arena, targets);
  if (config.head_transform) {
    head.transformed = arena.take({targets, config.hidden_size});
    head.activated = arena.take({targets, config.hidden_size});
    head.hidden = arena.take({targets, config.hidden_size});
    head.transform_norm = take_statistics(config, arena, targets);
  }
  return head;
}

SentenceActivations take_sentence(const ModelConfig& config, std::int64_t labels, Arena& arena) {
  SentenceActivations sentence;
  sentence.gathered = arena.take({labels, config.hidden_size});
  sentence.normed = config.final_norm ? arena.take({labels, config.hidden_size}) : sentence.gathered;
  if (config.final_norm) sentence.final_norm = take_statistics(config, arena, labels);
  sentence.hidden = sentence.normed;
  if (config.pooler) {
    sentence.pooled = arena.take({labels, config.hidden_size});
    sentence.hidden = arena.take({labels, config.hidden_size});
  }
  return sentence;
}

std::int64_t sums_size(const ModelConfig& config, std::int64_t tokens, std::int64_t targets) {
  std::int64_t widest = std::max(config.qkv_size(), config.up_size());
  std::int64_t rows = std::max(tokens, targets);
  std::int64_t size = std::max(linear_workspace(rows, widest), norm_workspace(config, rows));
  if (const Prefix& prefix = config.adaptation.prefix; prefix.inner > 0) {
    size = std::max(size, linear_workspace(prefix.length, std::max(prefix.inner, config.prefix_width())));
  }
  return size;
}

Workspace take_workspace(const ModelConfig& config, Mode mode, const Capacity& capacity,
                         std::size_t head_workspace, Arena& arena) {
  const std::int64_t tokens = capacity.tokens, width = config.hidden_size;
  const std::int64_t rows = std::max(capacity.targets, capacity.labels);
  Workspace workspace;
  workspace.row_gradient = arena.take({tokens, width});  // evaluation holds a sublayer's output here
  if (config.positions == PositionKind::rotary) {
    workspace.rotation = arena.take({tokens, config.head_size()});
  }
  workspace.attention = arena.take(
      {attention_workspace({config.num_attention_heads, config.key_heads(), config.head_size(), 1})});
  workspace.logits =
      arena.take({std::max(cross_entropy_workspace(capacity.targets, config.vocab_size, head_workspace),
                           cross_entropy_workspace(capacity.labels, config.classes, head_workspace))});
  if (mode == Mode::evaluate) return workspace;
  workspace.gradient = arena.take({tokens, width});
  workspace.attended_gradient = arena.take({tokens, config.query_size()});
  workspace.wide_gradient = arena.take({tokens, std::max(config.qkv_size(), config.up_size())});
  workspace.head_gradient = arena.take({rows, width});
  workspace.head_gradient2 = arena.take({rows, width});
  workspace.sums = arena.take({sums_size(config, tokens, rows)});
  workspace.order = arena.take({embedding_workspace(tokens)}, Dtype::i32);
  return workspace;
}

// Rows that a branch may have to work on.
std::int64_t rows_of(const LowRankBranch& branch, const Capacity& capacity) {
  return branch.place == LinearPlace::head_transform ? capacity.targets
         : branch.place == LinearPlace::pooler       ? capacity.labels
                                                     : capacity.tokens;
}
std::int64_t outputs_of(const LowRankBranch& branch) {
  return branch.row_end - branch.row_begin;
}

// Inputs of the layer that a branch stands beside.
std::int64_t inputs_of(const LowRankBranch& branch, const ModelConfig& config) {
  return branch.place == LinearPlace::attention_output ? config.query_size()
         : branch.place == LinearPlace::down           ? config.intermediate_size
                                                       : config.hidden_size;
}

// The largest of a number of every branch.
template <class Of>
std::int64_t most(const ModelConfig& config, Of&& of) {
  std::int64_t largest = 0;
  for (const LowRankBranch& branch : config.adaptation.branches) largest = std::max(largest, of(branch));
  return largest;
}

// Training keeps what every branch computed; evaluation needs it within its branch alone.
std::vector<BranchActivations> take_branches(const ModelConfig& config, Mode mode, const Capacity& capacity,
                                             ModelArenas& arenas) {
  const bool keep = mode == Mode::train;
  const auto inner = [&](const LowRankBranch& branch) { return rows_of(branch, capacity) * branch.rank; };
  const auto directed = [&](const LowRankBranch& branch) {
    return branch.magnitude ? rows_of(branch, capacity) * outputs_of(branch) : 0;
  };
  BranchActivations shared;
  if (!keep && !config.adaptation.branches.empty()) {
    shared.inner = arenas.workspace.take({most(config, inner)});
    shared.directed = arenas.workspace.take({most(config, directed)});
  }
  std::vector<BranchActivations> branches;
  for (const LowRankBranch& branch : config.adaptation.branches) {
    const std::int64_t rows = rows_of(branch, capacity), out = outputs_of(branch);
    const auto take = [&](const Tensor& common, const Shape& shape) {
      return keep ? arenas.activations.take(shape) : Tensor{.data = common.data, .shape = shape};
    };
    BranchActivations& added = branches.emplace_back();
    added.inner = take(shared.inner, {rows, branch.rank});
    if (!branch.magnitude) continue;
    added.directed = take(shared.directed, {rows, out});
    added.norm = arenas.activations.take({out});
  }
  return branches;
}

PrefixActivations take_prefix(const ModelConfig& config, Arena& arena) {
  const Prefix& prefix = config.adaptation.prefix;
  if (prefix.inner == 0) return {};
  return {arena.take({prefix.length, prefix.inner}), arena.take({prefix.length, prefix.inner}),
          arena.take({prefix.length, config.prefix_width()})};
}

void take_adaptation_scratch(const ModelConfig& config, Mode mode, const Capacity& capacity, Arena& arena,
                             Workspace& workspace) {
  const std::int64_t directed = most(config, [&](const LowRankBranch& branch) {
    return branch.magnitude ? rows_of(branch, capacity) * outputs_of(branch) : 0;
  });
  if (directed > 0) workspace.branch = arena.take({directed});
  if (mode == Mode::evaluate) return;
  const std::int64_t dropped = most(config, [&](const LowRankBranch& branch) {
    return branch.dropout > 0 ? rows_of(branch, capacity) * inputs_of(branch, config) : 0;
  });
  if (dropped > 0) workspace.dropped = arena.take({dropped});
  const std::int64_t inner =
      most(config, [&](const LowRankBranch& branch) { return rows_of(branch, capacity) * branch.rank; });
  if (inner > 0) workspace.branch_inner = arena.take({inner});
  if (const Prefix& prefix = config.adaptation.prefix; prefix.inner > 0) {
    workspace.prefix_gradient = arena.take({prefix.length, config.prefix_width()});
    workspace.prefix_hidden = arena.take({prefix.length, prefix.inner});
  }
}

}  // namespace

void ModelArenas::reserve() {
  for (Arena* arena : {&weights, &gradients, &activations, &workspace}) arena->reserve();
}

std::vector<MemoryUse> ModelArenas::uses() const {
  std::vector<MemoryUse> uses;
  for (const Arena* arena : {&weights, &gradients, &activations, &workspace}) {
    uses.push_back({arena->kind(), arena->peak_bytes()});
  }
  return uses;
}

ModelLayout lay_out(const ModelConfig& config, const ParameterTable& table, Mode mode, const Capacity& most,
                    std::size_t head_workspace, ModelArenas& arenas) {
  Capacity capacity = most;
  if (!config.vocabulary_head()) capacity.targets = 0;
  ModelLayout layout;
  layout.weights = arenas.weights.take({table.size});
  if (mode == Mode::train)
    layout.gradients = arenas.gradients.take({trained_parameters(config, table).table.size});
  Arena& activations = arenas.activations;
  if (config.embedding_norm) {
    layout.embedded = activations.take({capacity.tokens, config.hidden_size});
    layout.embedding_norm = take_statistics(config, activations, capacity.tokens);
  }
  take_layers(config, mode, capacity.tokens, activations, layout);
  if (!config.embedding_norm) layout.embedded = layout.layers.front().input;
  layout.head = take_head(config, capacity.targets, activations);
  layout.sentence = take_sentence(config, capacity.labels, activations);
  layout.branches = take_branches(config, mode, capacity, arenas);
  layout.prefix = take_prefix(config, activations);
  layout.workspace = take_workspace(config, mode, capacity, head_workspace, arenas.workspace);
  take_adaptation_scratch(config, mode, capacity, arenas.workspace, layout.workspace);
  return layout;
}

}  // namespace surprisal
