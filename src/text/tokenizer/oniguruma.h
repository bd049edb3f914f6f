// Regular expressions of tokenizer.json files: Hugging Face matches them with Oniguruma, this library with
// PCRE2.
#pragma once

#include <string>
#include <string_view>

namespace surprisal {

// A PCRE2 pattern that matches what Oniguruma (its own syntax, UTF-8) matches with `pattern`, by the Unicode
// version that Hugging Face's has where that is newer. The two differ in what \s \w \d \h \b \v and script
// names mean, in ^ and $ (line ends in Oniguruma), in intervals ("{2}+" is no possessive one there), and in
// nested and intersected classes. Throws Error (data), naming it, on what it cannot translate. `where` names
// the source in errors.
std::string pcre2_pattern(std::string_view pattern, const std::string& where);

}  // namespace surprisal
