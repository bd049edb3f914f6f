// Products on a packed B, on the calling thread alone: what gemm() calls for blocks that are large enough to
// pay for the packing. src/ops/gemm_packed.cc, or gemm_never_packed.cc where that is not wanted.
//
// An element of C is a chain of fused multiply-adds over each piece of K (of equal size, at most 192), the
// first from the bias, and the pieces are added in order. So its bits depend neither on where its block
// begins and ends nor on the width of the registers (except where there is no FMA).
#pragma once

#include "ops/gemm.h"

namespace surprisal {

bool packing_pays(const Matrix& a, const Matrix& b);

// C = A B, or C += A B. `bias` [N] is added to every row; null: none. REQUIRES Write::over with a bias.
void gemm_packed(const Matrix& a, const Matrix& b, const Matrix& c, Write write, const float* bias);

// For gemm_implementation(): "Highway, ", or empty.
const char* gemm_packed_name();

}  // namespace surprisal
