// Which tokens of a text are left blank, and in which order the pieces are predicted. Du et al. 2022, 2.1 and
// 2.2, as THUDM/GLM's ConstructBlockStrategy draws them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "objective/span_lengths.h"

namespace surprisal {

// Tokens [begin, end) of a text; at least one.
struct Blank {
  std::int32_t begin = 0, end = 0;
  std::int32_t size() const { return end - begin; }
  friend bool operator==(const Blank&, const Blank&) = default;
};
using Blanks = std::vector<Blank>;  // ascending, apart from one another

// Lengths drawn until they sum to `masked` or more; the last is kept whole. They fit in `room` tokens with
// `gap` tokens between each two: each is drawn given that it still fits, and where none does drawing ends. In
// any order, all alike, though the last drawn is longer than others on average.
std::vector<std::int32_t> draw_lengths(Random& random, const SpanLengths& distribution, std::int64_t masked,
                                       std::int64_t room, std::int64_t gap);

// Spans of these lengths in [begin, end), with at least `gap` tokens between each two: what is left over is
// divided by as many numbers drawn alike and sorted, as GLM does it. REQUIRES that they fit.
Blanks place_spans(Random& random, std::span<const std::int32_t> lengths, Blank region, std::int64_t gap);

// Of `sentences` any, all alike, until they hold `masked` tokens; the last is kept whole.
Blanks choose_sentences(Random& random, Blanks sentences, std::int64_t masked);

// The order in which `count` pieces are predicted: any, all alike, or with `shuffle` off from left to right.
std::vector<std::size_t> draw_order(Random& random, std::size_t count, bool shuffle);

}  // namespace surprisal
