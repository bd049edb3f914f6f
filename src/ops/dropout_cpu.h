// What the front of dropout asks of the CPU.
#pragma once

#include <cstdint>
#include <span>

#include "ops/dropout.h"

namespace surprisal {

struct Residual {
  const float* data;  // null: none
  float scale;
  Residual from(std::int64_t element) const { return {data ? data + element : nullptr, scale}; }
};

// y[i] = residual.scale * residual[i] + (kept ? scale * x[i] : 0) for rows of `width`. threshold 0 keeps all.
void dropout_cpu(std::span<const DropoutRow> rows, std::int64_t count, std::int64_t width,
                 std::uint32_t threshold, float scale, const float* x, const Residual& residual, float* y);

// factors[j] = number first + j of the row >= threshold ? scale : 0, on the calling thread.
void dropout_factors_cpu(const DropoutRow& row, std::uint32_t first, std::int64_t count,
                         std::uint32_t threshold, float scale, float* factors);

}  // namespace surprisal
