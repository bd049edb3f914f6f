#include "text/tokenizer/word_class.h"

#include <algorithm>
#include <span>
#include <vector>

#include <fmt/format.h>
#include <utf8proc.h>

#include "text/unicode/unicode_tables.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

constexpr char32_t kCodePoints = 0x110000;

// White_Space, as in is_space().
constexpr std::string_view kSpace =
    "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{"
    "3000}";

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

std::string members(std::string_view property, std::span<const CodePointRange> newer) {
  std::string text(property);
  for (CodePointRange range : newer) {
    text += fmt::format("\\x{{{:x}}}-\\x{{{:x}}}", static_cast<unsigned>(range.first),
                        static_cast<unsigned>(range.last));
  }
  return text;
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

std::string widen_word_classes(std::string_view pattern) {
  struct Escape {
    std::string_view written;
    std::string members;
    bool negated;
  };
  const Escape escapes[] = {{"\\p{L}", members("\\p{L}", new_letters()), false},
                            {"\\p{N}", members("\\p{N}", new_numbers()), false},
                            {"\\s", std::string(kSpace), false},
                            {"\\S", std::string(kSpace), true}};
  std::string result;
  bool in_brackets = false;
  for (std::size_t at = 0; at < pattern.size();) {
    std::string_view rest = pattern.substr(at);
    const Escape* found = std::find_if(std::begin(escapes), std::end(escapes), [&](const Escape& escape) {
      return rest.starts_with(escape.written) && !(escape.negated && in_brackets);
    });
    if (found != std::end(escapes)) {
      result +=
          in_brackets ? found->members : fmt::format("[{}{}]", found->negated ? "^" : "", found->members);
      at += found->written.size();
      continue;
    }
    std::size_t size = rest.front() == '\\' ? std::min<std::size_t>(2, rest.size()) : 1;
    if (rest.front() == '[') in_brackets = true;
    if (rest.front() == ']') in_brackets = false;
    result += rest.substr(0, size);
    at += size;
  }
  return result;
}

}  // namespace surprisal
