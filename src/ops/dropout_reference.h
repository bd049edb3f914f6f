// The definition of right for dropout.h.
#pragma once

#include <cstdint>

#include "ops/dropout.h"

namespace surprisal::reference {

// y[N, D] from x[N, D]; residual may be null.
template <class Number>
void dropout(std::int64_t width, const Number* x, const Number* residual, std::span<const DropoutRow> rows,
             double p, Number* y, double residual_scale = 1) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::int64_t d = 0; d < width; ++d) {
      const std::size_t at = i * static_cast<std::size_t>(width) + static_cast<std::size_t>(d);
      const bool kept = dropout_number(rows[i], static_cast<std::uint32_t>(d)) >= dropout_threshold(p);
      y[at] = (residual ? Number(residual_scale) * residual[at] : Number(0)) +
              (kept ? x[at] / Number(1 - p) : Number(0));
    }
  }
}

}  // namespace surprisal::reference
