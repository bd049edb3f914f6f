#include "text/tokenizer/word_class.h"

#include <algorithm>
#include <span>
#include <vector>

#include <utf8proc.h>

#include "text/unicode/unicode_tables.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr char32_t kCodePoints = 0x110000;

WordClass known_class(char32_t c) {
  if (is_space(static_cast<std::int32_t>(c))) return WordClass::space;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return WordClass::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return WordClass::number;
    default:
      return WordClass::other;
  }
}

}  // namespace

WordClasses::WordClasses() {
  std::vector<std::uint8_t> all(kCodePoints);
  for (char32_t c = 0; c < kCodePoints; ++c) all[c] = static_cast<std::uint8_t>(known_class(c));
  auto widen = [&](std::span<const CodePointRange> ranges, WordClass value) {
    for (CodePointRange range : ranges) {
      std::fill(&all[range.first], &all[range.last] + 1, static_cast<std::uint8_t>(value));
    }
  };
  widen(new_letters(), WordClass::letter);
  widen(new_numbers(), WordClass::number);
  // Blocks of nothing but `other` share one; so do equal neighbours, of which Chinese and Hangul have many.
  std::vector<Block> blocks(1);
  std::vector<std::size_t> index(classes_.size());
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    Block block;
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(i << kBlockBits), block.size(), block.begin());
    if (block == blocks.front()) continue;
    if (block != blocks.back()) blocks.push_back(block);
    index[i] = blocks.size() - 1;
  }
  blocks_ = std::make_unique<Block[]>(blocks.size());
  std::copy(blocks.begin(), blocks.end(), blocks_.get());
  for (std::size_t i = 0; i < classes_.size(); ++i) classes_[i] = blocks_[index[i]].data();
  for (std::size_t c = 0; c < ascii_.size(); ++c) ascii_[c] = static_cast<WordClass>(all[c]);
}

const WordClasses& WordClasses::instance() {
  static const WordClasses classes;
  return classes;
}

}  // namespace surprisal
