#include "model/adaptation.h"

#include <fmt/format.h>

namespace surprisal {

std::string linear_name(LinearPlace place, std::int64_t layer) {
  const auto of_layer = [&](const char* name) { return fmt::format("layer.{}.{}", layer, name); };
  switch (place) {
    case LinearPlace::qkv:
      return of_layer("attention.qkv");
    case LinearPlace::attention_output:
      return of_layer("attention.output");
    case LinearPlace::up:
      return of_layer("feed_forward.up");
    case LinearPlace::down:
      return of_layer("feed_forward.down");
    case LinearPlace::head_transform:
      return "head.transform";
    case LinearPlace::pooler:
      return "pooler";
  }
  return {};
}

std::string branch_name(const LowRankBranch& branch) {
  return fmt::format("{}.rows_{}_{}", linear_name(branch.place, branch.layer), branch.row_begin,
                     branch.row_end);
}

}  // namespace surprisal
