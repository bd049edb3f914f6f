// Substrings of words, by a suffix array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "text/train/word_counts.h"

namespace surprisal {

struct Substring {
  std::string text;
  std::uint64_t count = 0;  // in all words, as often as they occur
};

// Substrings of 2 to `max_characters` characters that occur twice at least, and after which not always the
// same character follows; those that cover most of the text (characters times count), at most `limit`, the
// greatest cover first. Throws Error (data) where the words have 4 GiB.
std::vector<Substring> frequent_substrings(const std::vector<WordCount>& words, std::size_t max_characters,
                                           std::size_t limit);

}  // namespace surprisal
