// The continuations that a decoder finds most probable, among several that grow side by side, as
// `transformers` searches for them (generate(num_beams=...)): a finished text scores
//   - nats / tokens^length_penalty,   its end counted as one of the tokens.
// Of every step the best candidates of all beams together are kept, enough of them that none is missing when
// ends are among them; an end counts where it is among the first `beams`. It stops where no beam can be
// better, at its present length, than the worst of `beams` finished texts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "surprisal/generate.h"
#include "surprisal/tokenizer.h"

#include "model/transformer.h"

namespace surprisal {

// The options.samples best, best first. REQUIRES what continue_tokens() does, and room for options.beams
// tokens and targets.
std::vector<GeneratedTokens> search_beams(Transformer& model, const Tokenizer& tokenizer,
                                          std::span<const std::int32_t> context,
                                          const GenerateOptions& options);

}  // namespace surprisal
