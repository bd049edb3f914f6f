// English words whose full stop need not end a sentence, in lower case and without that full stop.
#pragma once

#include <string_view>

namespace surprisal {

enum class Abbreviation {
  none,
  inner,     // never ends a sentence: mr, e.g, fig
  numbered,  // does not end one before a number: no, p, vol
  either,    // ends one only before a usual first word: etc, inc, jr
};

Abbreviation find_abbreviation(std::string_view lower_case_word);

// Whether `word`, as it is spelt, is a usual first word of an English sentence that is rarely a name's first:
// "The".
bool is_usual_first_word(std::string_view word);

}  // namespace surprisal
