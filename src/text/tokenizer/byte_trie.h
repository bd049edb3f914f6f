// A set of byte strings that finds the longest one at the beginning of a text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/tokenizer/pair_map.h"

namespace surprisal {

class ByteTrie {
 public:
  struct Match {
    std::size_t size = 0;  // bytes
    std::int32_t value = 0;
  };

  // Empty strings are not added. Of equal strings the first one counts.
  void add(std::string_view bytes, std::int32_t value);
  std::optional<Match> longest_prefix(std::string_view text) const;
  // Calls found(size, value) for every member that `text` begins with, the shortest first.
  template <class Found>
  void for_each_prefix(std::string_view text, Found found) const {
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::uint32_t* child = child_.find(node, static_cast<unsigned char>(text[i]));
      if (!child) return;
      node = *child;
      if (value_[node] != kNoValue) found(i + 1, value_[node]);
    }
  }
  bool empty() const { return value_.size() == 1; }

 private:
  PairMap<std::uint32_t> child_;                  // (node, byte) to node; the root is 0
  std::vector<std::int32_t> value_ = {kNoValue};  // per node
  static constexpr std::int32_t kNoValue = -1;
};

}  // namespace surprisal
