// What the front of AdamW asks of the CPU.
#pragma once

#include <cstdint>

namespace surprisal {

// One step's numbers, the corrections folded in:
// weight = weight * keep - rate * m / (sqrt(v) * root_scale + epsilon).
struct AdamWCoefficients {
  float gradient_scale;
  float beta1, rest1;  // rest = 1 - beta, rounded once
  float beta2, rest2;
  float keep;
  float rate;
  float root_scale;
  float epsilon;
};

void adamw_cpu(const AdamWCoefficients& step, std::int64_t size, float* weight, const float* gradient,
               float* m, float* v);

double squared_norm_cpu(std::int64_t size, const float* values);

}  // namespace surprisal
