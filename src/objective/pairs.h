// How the objectives over pairs of segments cut a document: a chunk of whole sentences, divided behind one of
// them into A and B, as BERT's create_pretraining_data does it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "objective/objective.h"

namespace surprisal {

using Tokens = std::span<const std::int32_t>;

struct DocumentPair {
  Tokens a, b;                        // b is empty where the chunk has one sentence
  std::size_t end_of_a = 0, end = 0;  // of A and of the chunk, in its document
};

class PairCutter {
 public:
  // `short_sequence`: probability of a shorter target length. Throws Error (usage), naming `objective`,
  // unless the tokenizer's template for pairs begins with a special token, which is the row that is labelled.
  PairCutter(std::string_view objective, double short_sequence, const Tokenizer& tokenizer,
             std::int64_t sequence_length);

  // How long the pairs of this pass over the document shall be: mostly all that fits.
  std::size_t target_length(const SampleKey& key) const;

  // The chunk from `begin` on: sentences until they hold `length` tokens and there are `least` of them, or
  // the document ends. A ends behind one of them all alike, never the last.
  DocumentPair cut(const TokenDocument& document, std::size_t begin, std::size_t length, std::size_t least,
                   Random& random) const;

  // Sentences of the document from `begin` on, until they hold `length` tokens or it ends; at least one.
  static Tokens fill(const TokenDocument& document, std::size_t begin, std::size_t length);

  // Truncates the pair to what fits and lays it in the template into the empty `sample`.
  void lay_out(Random& random, Tokens a, Tokens b, const SampleKey& key, Stream& sample) const;

 private:
  double short_sequence_;
  std::vector<TemplatePiece> template_;
  std::size_t room_;  // tokens of text in a sequence
};

}  // namespace surprisal
