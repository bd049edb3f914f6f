// Text that is no Unicode, and what is done with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace surprisal {

// What becomes of it: an error, U+FFFD in its place, or its line or record left out.
enum class InvalidText : std::uint8_t { error, replace, skip };

// REQUIRES "error", "replace" or "skip".
InvalidText invalid_text_policy(std::string_view name);

// Makes every maximal part of `text` that is no UTF-8 U+FFFD, as errors="replace" does in Python (Unicode 15,
// 3.9, "substitution of maximal subparts"), and returns how many there were.
std::uint64_t replace_invalid_utf8(std::string& text);

// Where in a line of JSON the first \u escape of half a surrogate pair stands, at `from` or behind it; npos
// if there is none. Such an escape is no character, though Python's json module writes and reads it.
std::size_t find_lone_surrogate(std::string_view json, std::size_t from = 0);
// Makes each the escape of U+FFFD, and returns how many there were.
std::uint64_t replace_lone_surrogates(std::string& json);

}  // namespace surprisal
