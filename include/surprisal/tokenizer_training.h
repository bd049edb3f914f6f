// Tokenizers learned from text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

namespace surprisal {

struct TokenizerRecipe {
  // bpe (byte level, GPT-2's pattern) | wordpiece (BERT's) | unigram (SentencePiece's)
  std::string type = "bpe";
  std::int64_t vocab_size = 8000;  // everything counted: specials, alphabet, merges; at most 2^24
  bool lowercase = false;  // wordpiece: lower case and strip accents, as BERT uncased; an error with others
  bool byte_fallback = false;  // unigram: characters without a token are bytes; an error with others
  std::string specials = "";   // glm: GLM's special tokens too (add_glm_specials); they count
};

// From files (.txt or .jsonl, each also .gz or .zst), directories and patterns, on all threads. The same
// files give the same tokenizer for any number of threads; it may be smaller than asked for where the text
// has no more pairs to merge. Throws Error: io (a missing file), data (text that cannot be read, or none),
// usage (a type that is not known, a vocab_size too small for specials and alphabet).
Tokenizer train_tokenizer(const std::vector<std::string>& files, const TokenizerRecipe& recipe);

}  // namespace surprisal
