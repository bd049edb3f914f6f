// Text on which tokenizers go wrong: every kind of space, case, accent and script, and what they treat as
// special.
#pragma once

#include <string>
#include <string_view>

#include "text/corpus/invalid_text.h"

namespace surprisal::fuzz {

inline constexpr std::string_view kHardText =
    "The quick  brown fox's \t1234567 JUMPED\r\n\n over [MASK]<s><|endoftext|>##ing don't WE'LL i'M "
    "\xC3\xA9\x65\xCC\x81\xC4\xB0\xC3\x9F\xEF\xAC\x81 "
    "\xE4\xB8\xAD\xE6\x96\x87\xE3\x80\x82\xED\x95\x9C\xEA\xB8\x80"
    "\xE1\x84\x92\xE1\x85\xA1 \xD8\xA7\xD9\x84 \xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\xB7 "
    "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F"
    "\x91\xA7 \xE2\x80\x83\xC2\xA0\xE2\x80\xA8\xEF\xBB\xBF\x7F\x01 -- ... !?\xE2\x96\x81_x <0x0A> "
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa ";

// Followed by what the input says, made UTF-8.
inline std::string hard_text(std::string tail) {
  replace_invalid_utf8(tail);
  return std::string(kHardText) + tail;
}

}  // namespace surprisal::fuzz
