// How an adapter starts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/transformer.h"

namespace surprisal {

// Draws what the configuration's adaptation has of its own, from `seed`; magnitudes become the norms of the
// rows that they belong to, so that nothing changes yet. Comes behind the base's weights.
void initialise_adapter(Transformer& model, std::uint64_t seed);

// Keys and values, [length, 2 L K] as a prefix has them, of the first `length` tokens; a shorter text is
// taken again and again. `base`: without an adaptation, with room for so many rows. Its keys are turned by
// their positions.
std::vector<float> prefix_of_text(Transformer& base, std::span<const std::int32_t> tokens,
                                  std::int64_t length);

}  // namespace surprisal
