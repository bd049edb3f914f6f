// A linear layer of the model with the low-rank branches that stand beside it.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"
#include "model/pass.h"
#include "model/tensors.h"

namespace surprisal {

// Rows of the stream that x and y hold, where they are not all of them in order: for dropout.
using StreamRows = std::span<const std::int32_t>;

void forward_linear(Pass& pass, const Linear& linear, const Tensor& x, const Tensor& y, StreamRows rows = {});

// dx takes the gradient as `write` says, unless its data is null; gradients that are trained are added to,
// those of weights as pass.write_matrices says. dx overlaps neither x nor dy. Comes behind forward_linear of
// the same stream.
void backward_linear(Pass& pass, const Linear& linear, const Linear& gradients, const Tensor& x,
                     const Tensor& dy, const Matrix& dx, Write write, Write write_weight,
                     StreamRows rows = {});

// The norms of the rows that branches with magnitudes adapt, once for a state of the weights:
// forward_linear() reads them.
void find_adapted_norms(const Pass& pass);

}  // namespace surprisal
