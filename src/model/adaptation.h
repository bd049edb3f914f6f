// What is put beside the layers of a model to adapt it: low-rank branches (LoRA: Hu et al., arXiv 2106.09685)
// and a prefix of keys and values (Li and Liang, ACL 2021). A model that has any is frozen but for them and
// for the parameters that are named here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace surprisal {

// A linear layer that a branch can stand beside.
enum class LinearPlace { qkv, attention_output, up, down, head_transform, pooler };

// y[rows] += scale B A dropout(x), for rows [row_begin, row_end) of the layer's outputs.
struct LowRankBranch {
  LinearPlace place = LinearPlace::qkv;
  std::int64_t layer = 0;  // of the places that layers have
  std::int64_t row_begin = 0, row_end = 0;
  std::int64_t rank = 0;
  double scale = 1;        // alpha / rank, or alpha / sqrt(rank)
  double dropout = 0;      // of what A reads
  bool magnitude = false;  // weight-decomposed: Liu et al., arXiv 2402.09353
  double range = 0;        // A starts normal with this standard deviation; 0: uniform, +-1 / sqrt(inputs)
};

// `length` keys and values of every layer, which every row sees.
struct Prefix {
  std::int64_t length = 0;  // 0: none
  // Width of the hidden layer through which the prefix is reparametrised while it is trained; 0: direct.
  std::int64_t inner = 0;
  bool zero = false;             // the direct form starts as zeros, not as normal numbers
  double dropout = 0;            // of its keys and values, one mask for a stream
  bool shifts_positions = true;  // rows count their positions from `length`, as behind so many tokens
};

// Rows [row_begin, row_end) of a parameter that is trained beside.
struct TrainedRows {
  std::string parameter;
  std::int64_t row_begin = 0, row_end = 0;
};

struct Adaptation {
  std::vector<LowRankBranch> branches;
  Prefix prefix;
  std::vector<TrainedRows> trained;
  bool any() const { return !branches.empty() || prefix.length > 0 || !trained.empty(); }
};

// "layer.3.attention.qkv": the parameters are this and ".weight", ".bias".
std::string linear_name(LinearPlace place, std::int64_t layer);

// "layer.3.attention.qkv.rows_0_64": its tensors are this and ".lora_A", ".lora_B", ".lora_magnitude".
// REQUIRES that no two branches of a model have one name.
std::string branch_name(const LowRankBranch& branch);

}  // namespace surprisal
