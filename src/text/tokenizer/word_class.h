// What the patterns of pre-tokenizers ask of a code point.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace surprisal {

enum class WordClass : std::uint8_t {
  other,   // [^\s\p{L}\p{N}]
  letter,  // \p{L}
  number,  // \p{N}
  space,   // \s
};

// The class of every code point as Hugging Face has it: of a newer Unicode than PCRE2's and utf8proc's.
class WordClasses {
 public:
  static const WordClasses& instance();
  WordClass operator()(char32_t c) const {
    return c < 0x80 ? ascii_[c] : static_cast<WordClass>(classes_[c >> kBlockBits][c & kBlockMask]);
  }

 private:
  static constexpr unsigned kBlockBits = 8;
  static constexpr char32_t kBlockMask = (1u << kBlockBits) - 1;
  static constexpr std::size_t kBlocks = 0x110000 / (kBlockMask + 1);
  using Block = std::array<std::uint8_t, kBlockMask + 1>;

  WordClasses();
  std::array<WordClass, 0x80> ascii_{};
  std::array<const std::uint8_t*, kBlocks> classes_{};
  std::unique_ptr<Block[]> blocks_;  // the first is `other` throughout
};

}  // namespace surprisal
