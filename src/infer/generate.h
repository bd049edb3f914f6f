// Continuations by a decoder in memory: the contract is that of surprisal/generate.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "surprisal/generate.h"
#include "surprisal/tokenizer.h"

#include "model/transformer.h"

namespace surprisal {

// Called with what a sample holds so far, after each token; the last call is before its end.
using TokenSink = std::function<void(std::span<const std::int32_t> ids)>;

// What follows `context`, which is not empty, in the order of reading (options.reverse is for the caller to
// act on). REQUIRES a model with room for the context and for options.samples tokens and targets.
std::vector<GeneratedTokens> continue_tokens(Transformer& model, const Tokenizer& tokenizer,
                                             std::span<const std::int32_t> context,
                                             const GenerateOptions& options, const TokenSink& sink = {});

// The ids at which a text ends: of text and of piece, and `more`.
std::vector<std::int32_t> end_tokens(const Tokenizer& tokenizer, std::span<const std::int32_t> more = {});

// Throws Error (usage).
void check_counts(std::int64_t max_tokens, std::int64_t samples);

}  // namespace surprisal
