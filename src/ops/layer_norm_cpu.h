// What the front of layer normalisation asks of the CPU.
#pragma once

#include <cstdint>

#include "ops/layer_norm.h"

namespace surprisal {

// Rows whose dweight and dbias are summed together before the sums of blocks are added up, in order.
inline constexpr std::int64_t kLayerNormBlock = 64;

struct LayerNormForward {
  std::int64_t width;
  const float *x, *weight, *bias;
  double epsilon;
  float *y, *mean, *rstd;
};
void layer_norm_forward_cpu(const LayerNormForward& op, std::int64_t rows);

struct LayerNormBackward {
  std::int64_t width;
  const float *x, *weight, *mean, *rstd, *dy;
  float* dx;
  Write write;
  float* partial;  // [blocks, 2, D]: dweight and dbias of each block of rows; null: neither is wanted
};
void layer_norm_backward_cpu(const LayerNormBackward& op, std::int64_t rows, float* dweight, float* dbias);

}  // namespace surprisal
