// Rule conditional of score(): how surprising completions are, given their prompts.
#pragma once

#include <string>
#include <vector>

#include "surprisal/score.h"

#include "model/transformer.h"
#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

class PairScorer {
 public:
  // The objective conditional as `options` have it. Tokenizer and options must outlive it. Throws Error
  // (usage): a key that is not one of [objective] or has no such value, a tokenizer or model that cannot do
  // it.
  PairScorer(const ModelConfig& config, const Tokenizer& tokenizer, const ScoreOptions& options);

  // What to read of records.
  RecordOptions records() const;

  // What is cut of the pairs, for people to know.
  std::vector<std::string> remarks(const TokenCorpus& corpus) const { return mixture_.remarks(corpus); }

  // Adds to `score`. REQUIRES a model with room for score_capacity(). Throws Error (data or diverged) as
  // evaluate() does.
  void score(Transformer& model, const TokenCorpus& corpus, Score& score) const;

 private:
  const ScoreOptions& options_;
  ObjectiveOptions objective_;
  Mixture mixture_;
};

// Throws Error (usage) where samples of the mixture have block positions that the model lacks. `key`: the one
// that says how pieces are counted.
void check_block_positions(const ModelConfig& config, const Mixture& mixture, const char* key);

}  // namespace surprisal
