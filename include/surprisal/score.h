// The surprisal of a text under a model, by a rule that has a name, so that numbers can be compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/evaluation.h"
#include "surprisal/model.h"
#include "surprisal/override.h"

namespace surprisal {

// windows: disjoint windows as `causal` has them, one token of context, end of text scored; every token once.
// reverse: the same windows read from the right.
// pll: each token masked in turn (Salazar et al., arXiv 1910.14659); windows as `mlm` has them, specials not
// scored.
// cloze: records of files, each a text with one mask and several options; nats are those of the right option
// among them (docs/objectives/cloze.md).
// conditional: pairs of files; nats are those of the completions, their ends included, given the prompts
// (docs/objectives/conditional.md).
// classification, regression, token_classification: labelled texts of files, of a classifier; nats are those
// of the right classes, of a regression squared errors (docs/objectives/classification.md and its like).
struct ScoreOptions {
  std::string
      rule{};  // empty: windows for a decoder, pll for a model with a masked-token head, a classifier's own
  std::int64_t sequence_length = 0;  // 0: all of the model's positions
  std::int64_t pack_tokens = 2048;   // rows that go through the model at once
  std::function<void(std::uint64_t done, std::uint64_t total)> progress{};  // in documents
  // Of rules over records, keys of a run's [objective]: {"objective.cloze.pattern", "{text} It was
  // [MASK]."}.
  std::vector<Override> objective{};
};

struct Score {
  std::string rule{};
  double nats = 0;           // summed surprisal
  std::uint64_t tokens = 0;  // scored; of rule cloze none: it scores documents
  std::uint64_t labels = 0;  // scored, of a classifier
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  // of text
  std::int64_t sequence_length = 0;
  std::optional<double> accuracy{};  // share of options, or of classes, that are the likeliest and right
  std::vector<Metric> metrics{};     // of rules over records
  double bits_per_byte() const;      // 0 for a text without bytes, and of rules over records
  double perplexity() const;         // exp(nats / tokens); of pll: the pseudo-perplexity; 0 of rule cloze
};

// A token of the text and -log p of it.
struct TokenSurprisal {
  std::int32_t id = 0;
  std::size_t begin = 0;  // byte of the text at which the token begins; the end of text: the text's size
  double nats = 0;
};

// `text` is one document of valid UTF-8. Throws Error: usage (a rule that is not known, or that the model or
// tokenizer cannot do, or a text for a rule over records), data (text that is not UTF-8 or has no
// token; a tokenizer with more tokens than the model has embeddings; records of another kind), diverged (a
// surprisal that is not finite).
Score score(Model& model, std::string_view text, const ScoreOptions& options = {});

// Each token that score() adds up, in the order of the text; what is scored at an end of the text stands
// there (`windows`: last, `reverse`: first).
std::vector<TokenSurprisal> token_surprisals(Model& model, std::string_view text,
                                             const ScoreOptions& options = {});

// The documents of files (.txt or .jsonl, each also .gz or .zst), directories and patterns. Throws as
// score(), and io.
Score score_files(Model& model, const std::vector<std::string>& files, const ScoreOptions& options = {});

}  // namespace surprisal
