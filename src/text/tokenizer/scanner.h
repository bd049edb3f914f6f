// The patterns that most tokenizers cut text with, matched by hand: several times as fast as a regular
// expression, with the same words. tests/text/scanner_test.cc compares them with PCRE2.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "text/tokenizer/aligned_text.h"

namespace surprisal {

// Adds the words of `text`, which is valid UTF-8 of less than 4 GiB, with `offset` added to their bounds. The
// known patterns match every code point, so the words are the whole text.
using Scanner = void (*)(std::string_view text, std::uint32_t offset, std::vector<ByteSpan>& words);

struct KnownPattern {
  std::string_view pattern;  // as tokenizer.json files spell it
  Scanner scan;
};

inline constexpr std::string_view kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// GPT-2's (ByteLevel's own, also written as a Split), Llama 3's, which is GPT-4's, and Qwen2's.
std::span<const KnownPattern> known_patterns();

// The scanner of a pattern in one of the spellings above; null where there is none.
Scanner find_scanner(std::string_view pattern);

void scan_gpt2(std::string_view text, std::uint32_t offset, std::vector<ByteSpan>& words);

}  // namespace surprisal
