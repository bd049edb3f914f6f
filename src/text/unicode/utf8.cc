#include "text/unicode/utf8.h"

#include <cstring>

#include <utf8proc.h>

namespace surprisal {
namespace {

// Eight bytes at a time: most text is ASCII for long stretches.
std::size_t skip_ascii(std::string_view text, std::size_t offset) {
  while (text.size() - offset >= 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + offset, 8);
    if (word & 0x8080808080808080) break;
    offset += 8;
  }
  while (offset < text.size() && !(text[offset] & 0x80)) ++offset;
  return offset;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t offset = skip_ascii(text, 0); offset < text.size(); offset = skip_ascii(text, offset)) {
    std::size_t size = code_point_at(text, offset).size;
    if (size == 0) return offset;
    offset += size;
  }
  return std::string_view::npos;
}

CodePoint code_point_at(std::string_view text, std::size_t offset) {
  if (offset >= text.size()) return {};
  if (!(text[offset] & 0x80)) return {text[offset], 1};
  CodePoint result;
  auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + offset,
                               static_cast<utf8proc_ssize_t>(text.size() - offset), &result.value);
  result.size = size > 0 ? static_cast<std::size_t>(size) : 0;
  return result;
}

CodePoint code_point_before(std::string_view text, std::size_t offset) {
  if (offset == 0) return {};
  std::size_t begin = offset - 1;
  while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
  return code_point_at(text.substr(0, offset), begin);
}

bool is_space(std::int32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::size_t skip_space(std::string_view text, std::size_t offset) {
  while (offset < text.size()) {
    CodePoint c = code_point_at(text, offset);
    if (!is_space(c.value)) break;
    offset += c.size;
  }
  return offset;
}

std::size_t skip_space_back(std::string_view text, std::size_t offset) {
  while (offset > 0) {
    CodePoint c = code_point_before(text, offset);
    if (!is_space(c.value)) break;
    offset -= c.size;
  }
  return offset;
}

bool is_cjk(std::int32_t c) {
  if (c < 0x2E80) return false;
  return (c >= 0x2E80 && c <= 0x312F) || (c >= 0x31A0 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE4F) || (c >= 0xFF00 && c <= 0xFF9F) ||
         (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x20000 && c <= 0x3FFFF);
}

}  // namespace surprisal
