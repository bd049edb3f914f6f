// Blanks filled by a model in memory: the contract is that of surprisal/generate.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "surprisal/generate.h"
#include "surprisal/tokenizer.h"

#include "model/transformer.h"
#include "objective/blank_layout.h"

namespace surprisal {

// A text with masks as the model reads it.
struct BlankedText {
  std::vector<std::int32_t> ids{};    // Part A
  std::vector<std::int32_t> masks{};  // rows of its masks, ascending
  std::int32_t begin = 0, end = 0;    // rows of what was written; the others were put around it
};

// Throws Error (usage) naming what the tokenizer lacks and how it gets it.
void require_infilling(const Tokenizer& tokenizer);

// How the rows that fill the blank of `mask` count, where nothing else is asked for: by both tables where the
// model has them; else as GLM-130B does.
PiecePosition published_position(const ModelConfig& config, const Tokenizer& tokenizer, std::int32_t mask);

// Whether the model has a position for what fills the first blank.
bool has_room(const ModelConfig& config, const Tokenizer& tokenizer, const BlankedText& text,
              const InfillOptions& options);

// Called with the pieces so far of a sample, after each token.
using PieceSink = std::function<void(std::span<const GeneratedTokens> pieces)>;

// What fills the blanks, left to right, once for each of `samples`, which name random numbers
// (options.samples is for the caller to act on). REQUIRES require_infilling(), a text within the model's
// positions with a mask, and a model with room for its ids and for that many tokens and targets.
std::vector<std::vector<GeneratedTokens>> fill_blanks(Transformer& model, const Tokenizer& tokenizer,
                                                      const BlankedText& text,
                                                      std::span<const std::uint64_t> samples,
                                                      const InfillOptions& options,
                                                      const PieceSink& sink = {});

}  // namespace surprisal
