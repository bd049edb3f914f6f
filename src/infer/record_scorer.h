// The rules of score() that are objectives over records: cloze, conditional, and those of classifiers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "surprisal/score.h"

#include "model/transformer.h"
#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

bool is_record_rule(const std::string& rule);

class RecordScorer {
 public:
  // The objective that `rule` names, with the keys that `options` have for it. Tokenizer and options must
  // outlive it. Throws Error (usage): a key that is not one of [objective] or has no such value, a tokenizer
  // or model that cannot do it.
  RecordScorer(const std::string& rule, const ModelConfig& config, const Tokenizer& tokenizer,
               const ScoreOptions& options);

  // What to read of records; `labels`: of a classifier's, whether it is to be scored by them.
  RecordOptions records(bool labels = true) const;

  const Mixture& mixture() const { return mixture_; }

  // What is cut of the records, for people to know.
  std::vector<std::string> remarks(const TokenCorpus& corpus) const { return mixture_.remarks(corpus); }

  // What a model needs room for. Throws Error (data) naming a record that cannot be laid out.
  Capacity capacity(const TokenCorpus& corpus) const;

  // Adds to `score`. REQUIRES that capacity. Throws Error (data or diverged) as evaluate() does.
  void score(Transformer& model, const TokenCorpus& corpus, Score& score) const;

 private:
  const ScoreOptions& options_;
  ObjectiveOptions objective_;
  Mixture mixture_;
};

}  // namespace surprisal
