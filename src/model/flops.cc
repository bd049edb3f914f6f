#include "model/flops.h"

#include <string>

#include "model/parameter.h"
#include "ops/attention.h"

namespace surprisal {
namespace {

double multiply_adds(const Shape& shape) {
  return 2 * static_cast<double>(shape[0]) * static_cast<double>(shape[1]);
}

}  // namespace

double FlopCount::count(const Stream& stream, const Each& each) const {
  const double rows = stream.size(), pairs = static_cast<double>(visible_pairs(stream.visible));
  return each.row * rows + each.pair * (pairs + prefix_ * rows) +
         each.target * static_cast<double>(stream.target.size()) +
         each.label * static_cast<double>(stream.label.size());
}

FlopCount::FlopCount(const ModelConfig& config)
    : prefix_(static_cast<double>(config.adaptation.prefix.length)) {
  const ParameterTable table = make_parameter_table(config);
  const ParameterTable trained = trained_parameters(config, table).table;
  const Lowest lowest = lowest_trained(config, trained);
  const auto add = [&](double& forward, double& backward, const std::string& name, bool to_input) {
    const int index = table.search(name);
    if (index < 0) return;
    const double each = multiply_adds(table.parameters[static_cast<std::size_t>(index)].shape);
    forward += each;
    backward += each * ((to_input ? 1 : 0) + (trained.search(name) >= 0 ? 1 : 0));
  };
  const double heads = 4 * static_cast<double>(config.query_size());
  for (std::int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
    const bool passed = layer >= lowest.layer;
    for (LinearPlace place :
         {LinearPlace::qkv, LinearPlace::attention_output, LinearPlace::up, LinearPlace::down}) {
      const bool first = layer == lowest.layer && place == LinearPlace::qkv;
      add(forward_.row, backward_.row, linear_name(place, layer) + ".weight",
          passed && (!first || lowest.input));
    }
    forward_.pair += heads;
    backward_.pair += passed ? 2 * heads : 0;
  }
  // The head's weight may be the token embedding, and its input's gradient is wanted by whatever is trained.
  const bool below = lowest.layer < config.num_hidden_layers || lowest.embedding;
  add(forward_.target, backward_.target,
      config.tie_word_embeddings ? "embedding.token.weight" : "head.weight", true);
  add(forward_.target, backward_.target, "head.transform.weight", below);
  add(forward_.label, backward_.label, "sentence_head.weight", true);
  add(forward_.label, backward_.label, "pooler.weight", below);
  for (const LowRankBranch& branch : config.adaptation.branches) {
    const auto of = [&](Each& each) -> double& {
      return branch.place == LinearPlace::head_transform ? each.target
             : branch.place == LinearPlace::pooler       ? each.label
                                                         : each.row;
    };
    for (const char* matrix : {".lora_A", ".lora_B"}) {
      add(of(forward_), of(backward_), branch_name(branch) + matrix, true);
    }
  }
}

}  // namespace surprisal
