// The merges of byte-pair encoding at work: the inner loop of encoding.
#pragma once

#include <cstdint>
#include <vector>

#include "text/tokenizer/components.h"
#include "text/tokenizer/pair_map.h"

namespace surprisal {

class BpeMerges {
 public:
  // Tokens `left` and `right` become `merged`. A pair that is added twice has its last rank, as in Hugging
  // Face.
  void add(std::int32_t left, std::int32_t right, std::uint32_t rank, std::int32_t merged);

  // Joins neighbours among tokens [first, end), the pair of the lowest rank first, the leftmost of those,
  // until no pair has a merge.
  void apply(std::vector<WordToken>& tokens, std::size_t first) const;

 private:
  struct Merge {
    std::uint32_t rank = 0;
    std::int32_t id = 0;
  };
  const Merge* find(std::int32_t left, std::int32_t right) const {
    return merges_.find(static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(right));
  }
  void apply_short(std::vector<WordToken>& tokens, std::size_t first) const;
  void apply_long(std::vector<WordToken>& tokens, std::size_t first) const;

  PairMap<Merge> merges_;
};

}  // namespace surprisal
