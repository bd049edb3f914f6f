// Inverted dropout whose mask is a function of a key, so that packed and alone, forward and backward agree
// and no mask is stored. An element is kept with probability 1 - p and divided by it.
#pragma once

#include <cstdint>
#include <span>

#include "surprisal/stream.h"

#include "core/tensor.h"

namespace surprisal {

struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint32_t place = 0;  // which dropout of the model this is (layer, site)
};

// The 64-bit Philox key of one row's numbers and the two counter words that name the row; element d of the
// row uses number d % 4 of counter block d / 4.
struct DropoutRow {
  std::uint64_t key = 0;
  std::uint64_t sample = 0;
  std::uint32_t row = 0;  // within its sequence
};

// Row identities of a stream, in order. `rows` has stream.size() elements.
void dropout_rows(const Stream& stream, const DropoutKey& key, std::span<DropoutRow> rows);

// Whether element `index` of a row is kept under probability `p` of dropping: its number >= p * 2^32.
std::uint32_t dropout_number(const DropoutRow& row, std::uint32_t index);
std::uint32_t dropout_threshold(double p);

// factors[j] = element first + j of the row is kept ? 1 / (1 - p) : 0, for j in [0, count): dropout of what
// has no matrix of its own (attention's probabilities). On the calling thread. REQUIRES first + count <=
// 2^32.
void dropout_factors(const DropoutRow& row, std::uint32_t first, std::int64_t count, double p,
                     float* factors);

// y[i, d] = residual_scale residual[i, d] + (kept ? x[i, d] / (1 - p) : 0); `residual` may be an empty tensor
// (data null): nothing is added. x, y, residual: f32 [N, D]; y may be x or residual. p == 0 keeps all and
// reads no `rows`, which may then be empty.
void dropout_forward(const Tensor& x, const Tensor& residual, std::span<const DropoutRow> rows, double p,
                     const Tensor& y, float residual_scale = 1);
// dx = kept ? dy / (1 - p) : 0; dx may be dy.
void dropout_backward(const Tensor& dy, std::span<const DropoutRow> rows, double p, const Tensor& dx);

}  // namespace surprisal
