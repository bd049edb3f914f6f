// From a text that people write with [MASK] in it to the ids that a model of blanks reads, and back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "surprisal/generate.h"
#include "surprisal/tokenizer.h"

#include "infer/infill.h"

namespace surprisal {

// What is put around a text: what the objective puts there, but nothing behind a [gMASK] that ends it, whose
// blank is the rest of the document (GLM); or no beginning, and an end of text unless a mask ends it
// (GLM-130B).
enum class BlankFrame { as_trained, end_of_text };

// `ids`: of a text as it is written. Throws Error (usage) where none is a mask.
BlankedText frame_text(const Tokenizer& tokenizer, std::vector<std::int32_t> ids, BlankFrame frame);

// The text with `pieces` in the places of its masks and without what the frame added: all of it, or up to
// where the last of the pieces grows.
std::vector<std::int32_t> fill_in(const BlankedText& text, std::span<const GeneratedTokens> pieces,
                                  bool whole);

}  // namespace surprisal
