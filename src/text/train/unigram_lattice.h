// All ways to cut a word into the pieces of a Unigram model, with their probabilities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/byte_trie.h"

namespace surprisal {

struct ScoredPiece {
  std::string text;
  double score = 0;  // the logarithm of its probability
};

class UnigramLattice {
 public:
  explicit UnigramLattice(const std::vector<ScoredPiece>& pieces);

  // Adds `count` times the expected number of every piece to `expected`, and returns the logarithm of the
  // word's probability. REQUIRES that every character of the word is a piece.
  double add_expectations(std::string_view word, double count, std::vector<double>& expected) const;
  // The pieces of the most probable way, `without` one (-1: none) as the whole word; empty where there is no
  // other. `score` is the sum.
  std::vector<std::int32_t> best_path(std::string_view word, std::int32_t without, double* score) const;

 private:
  struct Edge {
    std::uint32_t begin, end;
    std::int32_t piece;
  };
  std::vector<Edge> edges(std::string_view word) const;

  ByteTrie trie_;
  std::vector<double> scores_;
};

}  // namespace surprisal
