// What the front of the rotary embedding asks of the CPU.
#pragma once

#include <cstdint>

namespace surprisal {

struct Rotation {
  std::int64_t rows, heads, head_size, pairs;
  std::int64_t stride;  // elements between rows of x
  const float* table;   // [rows, 2 pairs]
  bool back;            // by the negative angle
  float* x;
};
void rotate_cpu(const Rotation& rotation);

}  // namespace surprisal
