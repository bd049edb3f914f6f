// What the front of root-mean-square normalisation asks of the CPU.
#pragma once

#include <cstdint>

#include "ops/rms_norm.h"

namespace surprisal {

// Rows whose dweight is summed together before the sums of blocks are added up, in order.
inline constexpr std::int64_t kRmsNormBlock = 64;

struct RmsNormForward {
  std::int64_t width;
  const float *x, *weight;
  double epsilon;
  float *y, *rstd;
};
void rms_norm_forward_cpu(const RmsNormForward& op, std::int64_t rows);

struct RmsNormBackward {
  std::int64_t width;
  const float *x, *weight, *rstd, *dy;
  float* dx;
  Write write;
  float* partial;  // [blocks, D]: dweight of each block of rows; null: it is not wanted
};
void rms_norm_backward_cpu(const RmsNormBackward& op, std::int64_t rows, float* dweight);

}  // namespace surprisal
