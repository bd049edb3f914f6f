// Where the sentences of a text begin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace surprisal {

// Byte offsets at which the sentences of `text` begin: the first is 0, ascending, at least one; each sentence
// runs to the next one's beginning. Every newline ends a sentence; with `divide_lines` the rules below end
// further ones. White space between two sentences belongs to the later one: a pre-token of GPT-2's pattern
// never has white space behind anything else, so none is cut at white space. REQUIRES valid UTF-8, at most 4
// GiB.
//
// Within a line a sentence ends
// - behind 。！？｡．‼⁇⁈⁉ and the closing quotes and brackets that follow, whatever comes next
//   but , ; : and their kin (“好。”，他说 goes on);
// - behind ! and ? in the same way where a CJK character stands before them;
// - behind . ! ? and the closing quotes and brackets that follow, then white space, then what can begin
//   a sentence: an upper-case letter, a letter of a script without case, a digit, money, an opening quote, or
//   an opening bracket before one of these.
// It does not end behind a full stop that belongs to
// - an abbreviation that needs a successor (Mr., e.g., Fig., vs., Jan.), or No., p., Vol. before a number;
// - an initial or initialism (J. Smith, U.S. Navy) or an abbreviation that may also end a sentence (etc.,
//   Inc., Jr.), unless a usual first word of a sentence follows (The, It, However);
// - the label of a list item or heading (1. First, 2.1.5. Second), an ellipsis;
// - a decimal number or a file name: no white space follows there.
// The semicolon, in Latin as in CJK, ends nothing.
std::vector<std::uint32_t> find_sentences(std::string_view text, bool divide_lines);

// The lines of each paragraph joined: with one blank, or with nothing between two CJK characters (a dash or
// curly quote beside a CJK character counts as one); blanks around the join are dropped. Blank lines between
// paragraphs become one newline.
std::string join_lines(std::string_view text);

}  // namespace surprisal
