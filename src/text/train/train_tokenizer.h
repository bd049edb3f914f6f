// Training of tokenizers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "text/corpus/corpus.h"

namespace surprisal {

inline constexpr std::int64_t kMaxVocabularySize = std::int64_t{1} << 24;

struct TokenizerTraining {
  // bpe (byte level, GPT-2's pattern) | wordpiece (BERT's) | unigram (SentencePiece's)
  std::string type = "bpe";
  std::int64_t vocab_size = 8000;  // everything counted: specials, alphabet, merges
  bool lowercase = false;  // wordpiece: lower case and strip accents, as BERT uncased; an error with others
  bool byte_fallback = false;      // unigram: characters without a token are bytes; an error with others
  std::string specials = "";       // glm: GLM's special tokens too (add_glm_specials); they count
  std::vector<std::string> files;  // directories and patterns too
  CorpusOptions corpus{};          // how they are read; sentences do not matter
  // Phase ("counting words", "merging"), done and total.
  std::function<void(const char* phase, std::uint64_t done, std::uint64_t total)> progress;
};

struct TrainedTokenizer {
  std::string tokenizer_json;
  std::string tokenizer_config_json;
  std::int64_t vocab_size = 0;  // reached; below the wish where the text has no more pairs to merge
  CorpusReport corpus{};        // what was read, without sentences and tokens
};

// The same files give the same bytes for any number of threads. Words are counted within documents. Throws as
// read_corpus does; Error (data) where no text is left; Error (usage) where vocab_size is too small for
// specials and alphabet, or there is no such type.
TrainedTokenizer train_tokenizer(const TokenizerTraining& training);

// training.progress for one phase; empty where there is none. For the trainers.
std::function<void(std::uint64_t done, std::uint64_t total)> phase_progress(const TokenizerTraining& training,
                                                                            const char* phase);

}  // namespace surprisal
