// What tokenizers do to code points, beyond what utf8.h tells of them. A char32_t is a code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/unicode/unicode_tables.h"

namespace surprisal {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

// `text` with every maximal part that is no UTF-8 made U+FFFD, as Rust's String::from_utf8_lossy does.
std::string utf8_lossy(std::string_view text);

// The code point that begins at byte `at`; moves `at` behind it. REQUIRES valid UTF-8 and at < text.size().
inline char32_t next_code_point(std::string_view text, std::size_t& at) {
  auto byte = [&] { return static_cast<unsigned char>(text[at++]); };
  char32_t c = byte();
  if (c < 0x80) return c;
  int trailing = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
  c &= 0x3Fu >> trailing;
  while (trailing-- > 0) c = c << 6 | (byte() & 0x3Fu);
  return c;
}

// Adds the UTF-8 of a code point.
void append_utf8(char32_t c, std::string& text);

// Full lower case of one code point, context aside (no final sigma), as Rust's char::to_lowercase.
// Writes at most 2 code points and returns how many.
int lower_case(char32_t c, char32_t lower[2]);

// Canonical decomposition of one code point. Writes at most 4 code points and returns how many.
int canonical_decomposition(char32_t c, char32_t decomposed[4]);
// Full decomposition, compatibility too if asked for. Writes at most kMaxDecomposition code points and
// returns how many.
inline constexpr int kMaxDecomposition = 18;
int full_decomposition(char32_t c, bool compatibility, char32_t decomposed[kMaxDecomposition]);
// The code point that canonical composition makes of the two; 0 if there is none.
char32_t canonical_composition(char32_t first, char32_t second);
// 0 for a starter; what canonical ordering sorts by.
int combining_class(char32_t c);

// A set of code points that answers in constant time.
class CodePointSet {
 public:
  explicit CodePointSet(std::span<const CodePointRange> ranges);
  bool contains(char32_t c) const {
    const Block& block = blocks_[block_of_[c >> 8]];
    return block.bits[c >> 6 & 3] >> (c & 63) & 1;
  }

 private:
  struct Block {
    std::uint64_t bits[4] = {};
  };
  std::vector<std::uint16_t> block_of_;  // per 256 code points
  std::vector<Block> blocks_;            // the first is empty
};

}  // namespace surprisal
