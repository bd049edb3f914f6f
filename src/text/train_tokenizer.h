// Training of tokenizers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace surprisal {

struct TokenizerTraining {
  std::string type = "bpe";  // bpe (byte level, GPT-2's pattern) | wordpiece (BERT's)
  std::int64_t vocab_size = 8000;  // everything counted: specials, alphabet, merges
  bool lowercase = false;          // wordpiece: lower case and strip accents, as BERT uncased
  std::vector<std::string> files;
  // Phase ("counting words", "merging"), done and total.
  std::function<void(const char* phase, std::uint64_t done, std::uint64_t total)> progress;
};

struct TrainedTokenizer {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
  std::int64_t vocab_size = 0;  // reached; below the wish where the text has no more pairs to merge
};

// The same files give the same bytes for any number of threads. Throws as read_corpus does; Error (usage) where
// vocab_size is too small for specials and alphabet.
TrainedTokenizer train_tokenizer(const TokenizerTraining& training);

}  // namespace surprisal
