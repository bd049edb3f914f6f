// The surprisal of a text under a model in memory: the contract is that of surprisal/score.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "surprisal/score.h"
#include "surprisal/tokenizer.h"

#include "infer/evaluate.h"
#include "model/transformer.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

// "windows", "reverse" of a model trained so, "pll", or the objective of a classifier.
std::string default_rule(const ModelConfig& config);

// Throws Error: usage (an unknown rule, or one that the model or tokenizer cannot do), data (a tokenizer with
// more tokens than the model has embeddings), diverged (a surprisal that is not finite). REQUIRES a model
// with capacity for score_capacity() tokens.
Score score(Transformer& model, const Tokenizer& tokenizer, const TokenCorpus& corpus,
            const ScoreOptions& options);

// What each scored token adds to score(), in the order of the text.
struct ScoredToken {
  std::int32_t id = 0;
  float nats = 0;
};
std::vector<ScoredToken> score_tokens(Transformer& model, const Tokenizer& tokenizer,
                                      const TokenCorpus& corpus, const ScoreOptions& options);

// Of the sequences that a text is cut into.
std::int64_t window_length(const ModelConfig& config, const ScoreOptions& options);

// options.progress, told of documents, from an evaluation's own, told of streams; empty where that is. The
// options must outlive it.
EvaluationProgress document_progress(const ScoreOptions& options, const TokenCorpus& corpus);

// Rows that a model needs capacity for to score by these options; of rules over records that is
// RecordScorer::capacity.
std::int64_t score_capacity(const ModelConfig& config, const ScoreOptions& options);

}  // namespace surprisal
