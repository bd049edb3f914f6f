// An objective on a text, without training: the loss and what people read beside it.
#pragma once

#include <cstdint>
#include <functional>

#include "surprisal/evaluation.h"

#include "infer/loss_sums.h"
#include "model/transformer.h"
#include "objective/mixture.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

// Streams done and streams in all.
using EvaluationProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

// Every sample of the corpus once, kind by kind in the order of its documents: the same samples, masks and
// pairs for one seed, always. `progress` is called after each stream and may throw to stop. Throws Error:
// data where a part of the mixture finds nothing to read, or a sample is more than the model can take (ids
// beyond its vocabulary, segments that it does not tell apart), diverged where a loss is not finite, naming
// the documents.
Evaluation evaluate(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture, std::uint64_t seed,
                    std::int32_t pack_tokens, const EvaluationProgress& progress = {});

}  // namespace surprisal
