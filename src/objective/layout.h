// What the sequences of several objectives have in common: their rows' numbers, and the tokenizer's template
// around text.
#pragma once

#include <cstdint>
#include <span>

#include "objective/objective.h"

namespace surprisal {

// Completes a sample whose tokens are laid: positions from 0, no block positions, and where the sequence came
// from.
void number_rows(const SampleKey& key, Stream& sample);

// Lays `a` (and `b`) in the template into the empty `sample`; every row sees all of them. No targets, no
// labels.
void lay_out_template(std::span<const TemplatePiece> pieces, std::span<const std::int32_t> a,
                      std::span<const std::int32_t> b, const SampleKey& key, Stream& sample);

// Rows that a template takes for itself.
std::int64_t special_rows(std::span<const TemplatePiece> pieces);

}  // namespace surprisal
