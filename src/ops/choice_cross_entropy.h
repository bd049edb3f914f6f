// The surprisal of the right option among several, each of which has a surprisal of its own (a Choice of
// surprisal/stream.h):
//   s_k        = sum of weight_t * surprisal_t over option k's targets t
//   surprisal  = s_answer + log sum_k exp(-s_k)           the cross entropy of softmax(-s)
//   d/ds_k     = [k = answer] - softmax_k(-s)
// Sums are formed in double and shifted by the least s_k: no surprisal is too large, and one option alone
// costs 0.
#pragma once

#include <cstdint>
#include <span>

#include "surprisal/stream.h"

namespace surprisal {

// surprisal: [T] of the targets, nats. choice_surprisal: [C], written. predicted: [C] options of the least
// s_k (ties to the first), or empty. REQUIRES a checked stream.
void choice_cross_entropy_forward(const Stream& stream, std::span<const float> surprisal,
                                  std::span<float> choice_surprisal, std::span<std::int32_t> predicted);

// `scale`: [C] d(loss)/d(choice_surprisal). `target_scale`: [T] d(loss)/d(surprisal_t), written for targets
// of choices, others untouched.
void choice_cross_entropy_backward(const Stream& stream, std::span<const float> surprisal,
                                   std::span<const float> scale, std::span<float> target_scale);

}  // namespace surprisal
