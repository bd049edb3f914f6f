// The prefix of keys and values that every row sees (Li and Liang, ACL 2021, section 4.2), and the MLP
// through which it may be reparametrised (section 4.3): prefix = output(tanh(hidden(table))).
#pragma once

#include <cstdint>

#include "model/pass.h"
#include "ops/attention.h"

namespace surprisal {

// The prefix of the weights as they are, once for a state of them.
void prefix_forward(const Pass& pass);
// [P, 2 L K], of each row: of every layer its keys, then its values (PEFT's order). REQUIRES a prefix, and
// prefix_forward().
const Tensor& prefix_of_weights(const Pass& pass);

// In training, once a stream: dropout of its keys and values. They are the same for all rows, so the mask is
// that of the stream, named by its first sequence.
void drop_prefix(Pass& pass);
// Takes what the layers left in prefix_gradients() on to what is trained, once all of them are through.
void prefix_backward(const Pass& pass);
// Before the layers of a backward pass.
void clear_prefix_gradients(const Pass& pass);

// Keys and values in one layer, and their gradients; none where there is no prefix.
AttentionPrefix prefix_values(const Pass& pass, std::int64_t layer);
AttentionPrefix prefix_gradients(const Pass& pass, std::int64_t layer);

}  // namespace surprisal
