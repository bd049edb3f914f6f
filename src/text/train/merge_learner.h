// Byte-pair encoding's training proper (Sennrich, Haddow, Birch: Neural machine translation of rare words
// with subword units; ACL 2016): the commonest pair of neighbouring tokens becomes a token, over and over.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace surprisal {

// Words as token ids, end to end.
struct TokenisedWords {
  std::vector<std::uint32_t> tokens;
  std::vector<std::uint64_t> begin;  // [words] index of each word's first token
  std::vector<std::uint32_t> size;   // [words] tokens
  std::vector<std::uint64_t> count;  // [words] how often the word occurs

  void add_word(std::uint64_t word_count) {
    begin.push_back(tokens.size());
    size.push_back(0);
    count.push_back(word_count);
  }
  void add_token(std::uint32_t id) {  // to the last word
    tokens.push_back(id);
    ++size.back();
  }
};

using TokenPair = std::pair<std::uint32_t, std::uint32_t>;

struct LearntMerges {
  std::vector<std::string> tokens;  // spelling by id: those given, then the new ones in the order of merging
  std::vector<TokenPair> merges;
};

// Merges until there are `vocabulary_size` tokens or no pair is left. Among equally frequent pairs the one
// with the smaller ids (left first) comes first, as in Hugging Face's BpeTrainer. A merged token is spelt as
// its parts, the right one without `continuation` ("##", or empty); where a token of that spelling is there
// already, it is taken.
LearntMerges learn_merges(TokenisedWords words, std::vector<std::string> tokens, std::size_t vocabulary_size,
                          std::string_view continuation,
                          const std::function<void(std::uint64_t done, std::uint64_t total)>& progress);

}  // namespace surprisal
