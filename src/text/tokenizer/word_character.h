#pragma once

namespace surprisal {

// What the regex crate of Rust takes for \w: letters, marks, decimal digits, connectors, and joiners.
bool is_word_character(char32_t c);

}  // namespace surprisal
