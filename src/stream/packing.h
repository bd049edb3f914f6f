// Several samples in one stream. Nothing sees across: intervals and rows are moved, never widened.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "surprisal/stream.h"

namespace surprisal {

// Appends `sample` behind what `stream` holds; every row, interval and sequence of it moves by the old
// size, and every option by the old number of targets.
void append(Stream& stream, const Stream& sample);

// Best fit, longest first: each length goes into the fullest pack that still has room for it, else opens a
// new one. Returns for each pack the indices of its samples in ascending order. Ties break by index, so the
// result is a pure function of the lengths. REQUIRES every length in [1, capacity]. O(n log n).
std::vector<std::vector<std::int32_t>> pack_best_fit(std::span<const std::int32_t> lengths,
                                                     std::int32_t capacity);

}  // namespace surprisal
