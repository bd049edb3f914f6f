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

// The code points [first, last] have this general category ("Lu").
struct CategoryRange {
  char32_t first, last;
  const char* category;
};

// BertNormalizer and BertPreTokenizer go by Unicode 8: whole tables.
std::span<const CodePointRange> bert_removed();
std::span<const CodePointRange> bert_punctuation();
std::span<const CodePointRange> accents();
// Decomposition goes by Unicode 9: what came later, and what beside it NFKC and NFKD do not decompose.
std::span<const CodePointRange> undecomposed();
std::span<const CodePointRange> undecomposed_compatibility();
// What StripAccents drops: the marks of Unicode 9.
std::span<const CodePointRange> marks();

// In patterns: \p{Alphabetic} beside \p{L} and \p{Nl}, \p{Uppercase} beside \p{Lu}, \p{Lowercase} beside
// \p{Ll}: whole tables.
std::span<const CodePointRange> other_alphabetic();
std::span<const CodePointRange> other_uppercase();
std::span<const CodePointRange> other_lowercase();

// What is newer there than Unicode 14.
std::span<const CodePointRange> new_letters();
std::span<const CodePointRange> new_numbers();
std::span<const CodePointRange> new_numerics();
std::span<const CategoryRange> new_categories();
std::span<const CodePointRange> new_word_characters();
std::span<const LowerCaseRange> new_lower_case();

}  // namespace surprisal
