// Rotary position embedding (Su et al., arXiv 2104.09864), with the halves of a head's rotated elements as
// pairs (GPT-NeoX, `rotate_half`). Row i at position p, pair d of F with frequency f_d, for every head:
//   x'[d]     = x[d] cos(p f_d) - x[d + F] sin(p f_d)
//   x'[d + F] = x[d + F] cos(p f_d) + x[d] sin(p f_d)
// Elements from 2 F on stay as they are. A rotation's derivative by x is the rotation, so the gradient is
// turned back by the same angle (and lengthened by the same magnitude); dot products of two rows depend on
// the difference of their positions alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor.h"
#include "ops/attention.h"

namespace surprisal {

// f_d = base^(-2d / size), d < size / 2: the published ones, for `size` rotated elements of a head.
std::vector<double> rotary_frequencies(std::int64_t size, double base);

// table: f32 [N, 2F], written: cosines, then sines, each times `magnitude`, which then lengthens what is
// turned. Angles are formed in double from whole positions: a number is off by half a unit of f32 at any
// position. Once a stream; every layer turns by the same table.
void rotary_table(std::span<const std::int32_t> position, std::span<const double> frequency, double magnitude,
                  const Tensor& table);

// In place; x: [N, heads, head_size]. REQUIRES 2F <= head_size.
void rotary_forward(const Tensor& table, std::int64_t heads, std::int64_t head_size, const HeadTensor& x);
void rotary_backward(const Tensor& table, std::int64_t heads, std::int64_t head_size, const HeadTensor& dx);

}  // namespace surprisal
