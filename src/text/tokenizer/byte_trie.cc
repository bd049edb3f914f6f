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
  std::uint32_t node = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint32_t* child = child_.find(node, static_cast<unsigned char>(text[i]));
    if (!child) break;
    node = *child;
    if (value_[node] != kNoValue) longest = {i + 1, value_[node]};
  }
  return longest;
}

}  // namespace surprisal
