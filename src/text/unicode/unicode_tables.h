// What Hugging Face `tokenizers` knows of Unicode where that is not what utf8proc and PCRE2 know.
#pragma once

#include <span>

namespace surprisal {

struct CodePointRange {
  char32_t first, last;
};

// The code points [first, last] have the lower case [lower, lower + last - first].
struct LowerCaseRange {
  char32_t first, last, lower;
};

// BertNormalizer and BertPreTokenizer go by Unicode 8: whole tables.
std::span<const CodePointRange> bert_removed();
std::span<const CodePointRange> bert_punctuation();
std::span<const CodePointRange> accents();
// Its canonical decomposition goes by Unicode 9: what came later.
std::span<const CodePointRange> undecomposed();

// What is newer there than Unicode 14.
std::span<const CodePointRange> new_letters();
std::span<const CodePointRange> new_numbers();
std::span<const CodePointRange> new_word_characters();
std::span<const LowerCaseRange> new_lower_case();

}  // namespace surprisal
