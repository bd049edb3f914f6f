#include "adapt/initialise.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "model/key_value_cache.h"
#include "ops/decomposed.h"

namespace surprisal {
namespace {

void start_magnitude(Transformer& model, const LowRankBranch& branch) {
  const auto find = [&](const std::string& name) { return model.weight(model.table().find(name)); };
  const std::string name = branch_name(branch);
  const Tensor weight = find(linear_name(branch.place, branch.layer) + ".weight");
  adapted_row_norms(weight.rows(branch.row_begin, branch.row_end),
                    {find(name + ".lora_A"), find(name + ".lora_B"), static_cast<float>(branch.scale)},
                    find(name + ".lora_magnitude"));
}

}  // namespace

void initialise_adapter(Transformer& model, std::uint64_t seed) {
  const ParameterTable& table = model.table();
  for (std::size_t index = 0; index < table.parameters.size(); ++index) {
    if (table.parameters[index].of_adaptation) model.initialise(seed, static_cast<int>(index));
  }
  for (const LowRankBranch& branch : model.config().adaptation.branches) {
    if (branch.magnitude) start_magnitude(model, branch);
  }
}

std::vector<float> prefix_of_text(Transformer& base, std::span<const std::int32_t> tokens,
                                  std::int64_t length) {
  assert(!tokens.empty() && !base.config().adaptation.any());
  const ModelConfig& config = base.config();
  Stream stream;
  std::vector<std::int32_t> slots(static_cast<std::size_t>(length));
  std::iota(slots.begin(), slots.end(), 0);
  for (std::int32_t row : slots) {
    stream.token.push_back(tokens[static_cast<std::size_t>(row) % tokens.size()]);
    stream.position.push_back(row);
    stream.visible.push_back({0, row + 1});
  }
  stream.block_position.assign(slots.size(), 0);
  stream.segment.assign(slots.size(), 0);
  stream.sequence = {{.begin = 0, .end = static_cast<std::int32_t>(length)}};
  KeyValueCache cache(config, length);
  base.extend(stream, {&cache, slots});
  const std::int64_t width = config.key_size();
  std::vector<float> prefix;
  for (std::int64_t row = 0; row < length; ++row) {
    for (std::int64_t layer = 0; layer < config.num_hidden_layers; ++layer) {
      for (const HeadTensor& kept : {cache.keys(layer), cache.values(layer)}) {
        const float* from = kept.data + row * kept.stride;
        prefix.insert(prefix.end(), from, from + width);
      }
    }
  }
  return prefix;
}

}  // namespace surprisal
