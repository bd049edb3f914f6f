#include "text/unicode/unicode.h"

#include <utf8proc.h>

#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

// How many bytes at the beginning of `text`, which is no UTF-8 there, could have begun a well-formed
// sequence: the "maximal subpart" of the Unicode standard, section 3.9. At least 1.
std::size_t invalid_length(std::string_view text) {
  auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  unsigned lead = at(0);
  if (lead < 0xC2 || lead > 0xF4) return 1;
  std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4, seen = 1;
  // The second byte's range keeps out overlong forms, surrogates, and what lies beyond U+10FFFF.
  unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (; seen < length && at(seen) >= low && at(seen) <= high; ++seen) {
    low = 0x80;
    high = 0xBF;
  }
  return seen;
}

}  // namespace

std::string utf8_lossy(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    std::size_t invalid = find_invalid_utf8(text);
    result += text.substr(0, invalid);
    if (invalid == std::string_view::npos) break;
    text.remove_prefix(invalid);
    std::size_t seen = invalid_length(text);
    append_utf8(kReplacementCharacter, result);
    text.remove_prefix(seen);
  }
  return result;
}

void append_utf8(char32_t c, std::string& text) {
  utf8proc_uint8_t bytes[4];
  utf8proc_ssize_t size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

int lower_case(char32_t c, char32_t lower[2]) {
  if (c < 0x80) {
    lower[0] = c >= 'A' && c <= 'Z' ? c + 32 : c;
    return 1;
  }
  // I with a dot is the only code point whose lower case is two.
  if (c == 0x130) {
    lower[0] = 'i';
    lower[1] = 0x307;
    return 2;
  }
  lower[0] = static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
  if (lower[0] != c) return 1;
  for (LowerCaseRange range : new_lower_case()) {
    if (c >= range.first && c <= range.last) lower[0] = range.lower + (c - range.first);
  }
  return 1;
}

int canonical_decomposition(char32_t c, char32_t decomposed[4]) {
  if (c < 0xC0) {
    decomposed[0] = c;
    return 1;
  }
  utf8proc_int32_t buffer[4];
  int boundary = 0;
  utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer, 4, UTF8PROC_DECOMPOSE, &boundary);
  if (count < 1 || count > 4) {
    decomposed[0] = c;
    return 1;
  }
  for (int i = 0; i < count; ++i) decomposed[i] = static_cast<char32_t>(buffer[i]);
  return static_cast<int>(count);
}

int full_decomposition(char32_t c, bool compatibility, char32_t decomposed[kMaxDecomposition]) {
  utf8proc_int32_t buffer[kMaxDecomposition];
  int boundary = 0;
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0));
  utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer,
                                                   kMaxDecomposition, options, &boundary);
  if (count < 1 || count > kMaxDecomposition) {
    decomposed[0] = c;
    return 1;
  }
  for (int i = 0; i < count; ++i) decomposed[i] = static_cast<char32_t>(buffer[i]);
  return static_cast<int>(count);
}

char32_t canonical_composition(char32_t first, char32_t second) {
  utf8proc_int32_t pair[2] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  return utf8proc_normalize_utf32(pair, 2, options) == 1 ? static_cast<char32_t>(pair[0]) : 0;
}

int combining_class(char32_t c) {
  return c < 0x300 ? 0 : utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

CodePointSet::CodePointSet(std::span<const CodePointRange> ranges) : block_of_(0x1100, 0), blocks_(1) {
  for (CodePointRange range : ranges) {
    for (char32_t c = range.first; c <= range.last; ++c) {
      std::uint16_t& block = block_of_[c >> 8];
      if (block == 0) {
        block = static_cast<std::uint16_t>(blocks_.size());
        blocks_.emplace_back();
      }
      blocks_[block].bits[c >> 6 & 3] |= std::uint64_t{1} << (c & 63);
    }
  }
}

}  // namespace surprisal
