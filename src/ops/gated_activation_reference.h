// The definition of right for gated_activation.h.
#pragma once

#include <cstdint>

#include "ops/activation_reference.h"

namespace surprisal::reference {

// One row: y[width] from x[2 width].
template <class Number>
void gated_activation(Activation kind, std::int64_t width, const Number* x, Number* y) {
  for (std::int64_t j = 0; j < width; ++j) y[j] = x[j] * activation(kind, x[width + j]);
}

}  // namespace surprisal::reference
