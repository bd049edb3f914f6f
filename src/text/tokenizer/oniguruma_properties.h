// What \p{...}, \s, [:alpha:] ... of Oniguruma are in PCRE2.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace surprisal {

// The inside of a PCRE2 class that has the code points of the property (in any of Oniguruma's spellings:
// "L", "letter", "Han", "white_space"); nothing for one that is not known.
std::optional<std::string> property_class(std::string_view name);
// The same for a name between [: and :], some of which mean something else there.
std::optional<std::string> posix_class(std::string_view name);

// The same for the escapes \s, \w, \d, \h (in lower case).
std::string shorthand_class(char letter);
// What \w is outside brackets, and to \b: a little more.
std::string word_escape_class();

}  // namespace surprisal
