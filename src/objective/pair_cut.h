// How a pair is cut that is longer than a sequence.
#pragma once

#include <algorithm>
#include <cstdint>

namespace surprisal {

struct PairCut {
  std::int64_t prompt = 0;   // how many of its tokens stay, at its start or its end
  std::int64_t targets = 0;  // of the completion's tokens and its end

  // A pair of `prompt` tokens and `targets` targets in `room` rows, of which each takes one. The prompt keeps
  // what the targets leave, but a quarter of `length` at least; then the targets keep theirs.
  // GLM-130B's rule. REQUIRES room >= 2, targets >= 1.
  static PairCut of(std::int64_t prompt, std::int64_t targets, std::int64_t room, std::int64_t length) {
    const std::int64_t head = std::min(std::max(length / 4, room - targets), room - 1);
    PairCut cut{.prompt = std::min(prompt, head)};
    cut.targets = std::min(targets, room - cut.prompt);
    return cut;
  }
};

}  // namespace surprisal
