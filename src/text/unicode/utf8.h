// Code points of UTF-8 text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace surprisal {

// Where the first sequence that is not UTF-8 begins; npos if there is none. Surrogates and overlong forms are
// not UTF-8.
std::size_t find_invalid_utf8(std::string_view text);

struct CodePoint {
  std::int32_t value = -1;  // -1: there is none
  std::size_t size = 0;     // bytes
};

// The code point that begins at `offset`, or the one that ends there. REQUIRES valid UTF-8 and a boundary.
CodePoint code_point_at(std::string_view text, std::size_t offset);
CodePoint code_point_before(std::string_view text, std::size_t offset);

// Unicode's White_Space, which is what \s means in the patterns of tokenizers.
bool is_space(std::int32_t code_point);

// Offset of the first code point at or after `offset` that is no white space, or the text's size.
std::size_t skip_space(std::string_view text, std::size_t offset);
// End of the last code point before `offset` that is no white space, or 0.
std::size_t skip_space_back(std::string_view text, std::size_t offset);

inline bool is_blank(std::string_view text) {
  return skip_space(text, 0) == text.size();
}

// Han, kana, bopomofo, CJK punctuation, full-width forms: scripts that are written without blanks. Not
// Hangul.
bool is_cjk(std::int32_t code_point);

}  // namespace surprisal
