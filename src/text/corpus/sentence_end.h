// The rules of sentences.h for the end of a sentence within a line.
#pragma once

#include <cstddef>
#include <string_view>

namespace surprisal {

// The end of the sentence that begins at `begin` in `line`: an offset behind its punctuation, or the line's
// size. REQUIRES a line without white space at its end.
std::size_t find_sentence_end(std::string_view line, std::size_t begin);

}  // namespace surprisal
