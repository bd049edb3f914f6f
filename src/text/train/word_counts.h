// How often each word of a corpus occurs, words being what a tokenizer's normalizer and pre-tokenizer make of
// the text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "text/corpus/corpus.h"
#include "text/tokenizer/components.h"

namespace surprisal {

struct WordCount {
  std::string word;
  std::uint64_t count = 0;
};

struct CountedWords {
  std::vector<WordCount> words;
  CorpusReport report;  // without sentences and tokens
};

// Counts on all threads. The result is sorted by word, so it does not depend on their number. `normalizer`
// may be null. Pairs are read beside texts. Throws as read_corpus does, and Error (data) where there is no
// word. `progress` gets bytes read and in all.
CountedWords count_words(const std::vector<std::string>& files, const CorpusOptions& options,
                         const Normalizer* normalizer, const PreTokenizer& pre_tokenizer,
                         const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace surprisal
