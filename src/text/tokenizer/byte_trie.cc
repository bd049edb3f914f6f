#include "text/tokenizer/byte_trie.h"

namespace surprisal {

void ByteTrie::add(std::string_view bytes, std::int32_t value) {
  if (bytes.empty()) return;
  std::uint32_t node = 0;
  for (char byte : bytes) {
    std::uint32_t& child = child_(node, static_cast<unsigned char>(byte));
    if (child == 0) {
      child = static_cast<std::uint32_t>(value_.size());
      value_.push_back(kNoValue);
    }
    node = child;
  }
  if (value_[node] == kNoValue) value_[node] = value;
}

std::optional<ByteTrie::Match> ByteTrie::longest_prefix(std::string_view text) const {
  std::optional<Match> longest;
  for_each_prefix(text, [&](std::size_t size, std::int32_t value) { longest = {size, value}; });
  return longest;
}

}  // namespace surprisal
