// The surprisal of a text under a model, by a rule that has a name, so that numbers can be compared.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

// windows: disjoint windows as `causal` has them, one token of context, end of text scored; every token once.
// reverse: the same windows read from the right.
// pll: each token masked in turn (Salazar et al., arXiv 1910.14659); windows as `mlm` has them, specials not
// scored.
struct ScoreOptions {
  std::string rule{};                // empty: windows for a decoder, pll for a model with a masked-token head
  std::int64_t sequence_length = 0;  // 0: all of the model's positions
  std::int64_t pack_tokens = 2048;   // rows that go through the model at once
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};  // in documents
};

struct Score {
  std::string rule{};
  double nats = 0;           // summed surprisal
  std::uint64_t tokens = 0;  // scored
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  // of text
  std::int64_t sequence_length = 0;
  double bits_per_byte() const;
  double perplexity() const;  // exp(nats / tokens); of pll: the pseudo-perplexity
};

// "windows" or "pll".
std::string default_rule(const ModelConfig& config);

// Throws Error: usage (an unknown rule, or one that the model or tokenizer cannot do), data (a tokenizer with
// more tokens than the model has embeddings), diverged (a surprisal that is not finite). REQUIRES a model
// with capacity for score_capacity() tokens.
Score score(Transformer& model, const Tokenizer& tokenizer, const TokenCorpus& corpus,
            const ScoreOptions& options);

// Rows that a model needs capacity for to score by these options.
std::int64_t score_capacity(const ModelConfig& config, const ScoreOptions& options);

}  // namespace surprisal
