// What the front of the activations asks of the CPU.
#pragma once

#include <cstdint>

#include "ops/activation.h"

namespace surprisal {

void activation_forward_cpu(Activation kind, std::int64_t size, const float* x, float* y);
void activation_backward_cpu(Activation kind, std::int64_t size, const float* x, const float* dy, float* dx);

}  // namespace surprisal
