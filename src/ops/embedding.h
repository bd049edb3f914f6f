// Sum of table rows: y[i] = token_table[token[i]] + position_table[position[i]] (+ segment_table[segment[i]],
// block_position_table[block_position[i]]).
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"

namespace surprisal {

struct EmbeddingTable {
  Tensor table;                         // f32 [rows, D]
  std::span<const std::int32_t> index;  // [N], each below rows
  float scale = 1;                      // of what is added to a gradient; forward does not know it
};

// y: f32 [N, D], written.
void embedding_forward(std::span<const EmbeddingTable> tables, const Tensor& y);

// dtable[index[i]] += scale dy[i], for every table on its own; rows of one table are added in ascending i, so
// the bits do not depend on threads. `gradients[k].table` is the gradient of table k. `order`: i32 workspace,
// embedding_workspace(N) elements.
void embedding_backward(std::span<const EmbeddingTable> gradients, const Tensor& dy, const Tensor& order);
std::int64_t embedding_workspace(std::int64_t rows);

}  // namespace surprisal
