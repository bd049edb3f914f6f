// Rule cloze of score(): which option of a choice a model takes, and how surprising the right one is.
#pragma once

#include <cstdint>

#include "surprisal/score.h"

#include "model/transformer.h"
#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

class ChoiceScorer {
 public:
  // The objective cloze as `options` have it. Tokenizer and options must outlive it. Throws Error (usage): a
  // key that is not one of [objective] or has no such value, a tokenizer or model that cannot do it.
  ChoiceScorer(const ModelConfig& config, const Tokenizer& tokenizer, const ScoreOptions& options);

  // What to read of records.
  RecordOptions records() const;

  // Rows that a model needs capacity for. Throws Error (data) naming a choice that cannot be laid out.
  std::int64_t capacity(const TokenCorpus& corpus) const;

  // Adds to `score`. REQUIRES that capacity. Throws Error (data or diverged) as evaluate() does.
  void score(Transformer& model, const TokenCorpus& corpus, Score& score) const;

 private:
  const ScoreOptions& options_;
  ObjectiveOptions objective_;
  Mixture mixture_;
};

}  // namespace surprisal
