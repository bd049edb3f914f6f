// Streams to test with.
#pragma once

#include <cstdint>

#include "surprisal/stream.h"

namespace surprisal {

// A sequence of `size` rows that sees all of itself, with ids from `first`, a target at row 1 and a label at
// row 0.
inline Stream make_sequence(std::int32_t size, std::int32_t first, std::uint64_t sample = 0) {
  Stream stream;
  for (std::int32_t row = 0; row < size; ++row) {
    stream.token.push_back(first + row);
    stream.position.push_back(row);
    stream.block_position.push_back(0);
    stream.segment.push_back(row % 2);
    stream.visible.push_back({0, size});
  }
  if (size > 1) stream.target.push_back({1, first + 100, 0.5f});
  stream.label.push_back({0, 1, 1});
  stream.sequence.push_back({.begin = 0, .end = size, .sample = sample, .document = sample});
  return stream;
}

}  // namespace surprisal
