// The tokens that would make a text say the same `length` tokens in a row a second time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace surprisal {

// Each once or more often; none where length is 0.
inline std::vector<std::int32_t> repeating_tokens(std::span<const std::int32_t> text, std::int64_t length) {
  std::vector<std::int32_t> tokens;
  const std::int64_t known = length - 1;  // of the repetition, at the end of the text
  if (length < 1 || std::ssize(text) < known) return tokens;
  const auto last = text.last(static_cast<std::size_t>(known));
  for (std::int64_t begin = 0; begin + known < std::ssize(text); ++begin) {
    const auto before = text.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(known));
    if (std::equal(last.begin(), last.end(), before.begin()))
      tokens.push_back(text[static_cast<std::size_t>(begin + known)]);
  }
  return tokens;
}

}  // namespace surprisal
