// What the front of the gated activations asks of the CPU.
#pragma once

#include <cstdint>

#include "ops/activation.h"

namespace surprisal {

// x [rows, 2 width], y [rows, width].
void gated_activation_forward_cpu(Activation kind, std::int64_t rows, std::int64_t width, const float* x,
                                  float* y);
void gated_activation_backward_cpu(Activation kind, std::int64_t rows, std::int64_t width, const float* x,
                                   float* dx);

}  // namespace surprisal
