// An objective on a text, without training: the loss and what people read beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "infer/loss_sums.h"
#include "model/transformer.h"
#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

struct Evaluation {
  double loss = 0;                // of the specification, nats
  LossSum token, label;           // each term
  std::vector<std::string> part;  // names of a mixture's parts
  std::vector<LossSum> token_by_part, label_by_part;
  std::optional<double> token_accuracy, label_accuracy;
  std::optional<double> bits_per_byte;  // where every token of the text was a target once
  double unigram_entropy = 0;           // of the token targets' own distribution, nats
  std::uint64_t tokens = 0;             // rows that went through the model
};

// Streams done and streams in all.
using EvaluationProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Every sample of the corpus once, in the order of its documents: the same samples, masks and pairs for one
// seed, always. `progress` is called after each stream and may throw to stop. Throws Error: data
// where a sample is more than the model can take (ids beyond its vocabulary, segments that it does not tell
// apart), diverged where a loss is not finite, naming the documents.
Evaluation evaluate(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                    std::int32_t pack_tokens, const EvaluationProgress& progress = {});

}  // namespace surprisal
