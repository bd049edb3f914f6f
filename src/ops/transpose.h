// to[j, i] = from[i, j]: a copy, for products whose operands stand the wrong way.
#pragma once

#include <cstdint>

namespace surprisal {

// from [rows, columns] and to [columns, rows], with that many elements between rows; they do not overlap. On
// the calling thread.
void transpose(std::int64_t rows, std::int64_t columns, const float* from, std::int64_t from_stride,
               float* to, std::int64_t to_stride);

}  // namespace surprisal
