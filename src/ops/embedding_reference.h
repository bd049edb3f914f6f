// The definition of right for embedding.h.
#pragma once

#include <cstdint>
#include <span>

namespace surprisal::reference {

template <class Number>
struct EmbeddingTable {
  const Number* table = nullptr;        // [rows, D]
  std::span<const std::int32_t> index;  // [N]
};

// y[N, D] is the sum of the tables' rows.
template <class Number>
void embedding(std::int64_t width, std::span<const EmbeddingTable<Number>> tables, Number* y) {
  const std::int64_t rows = static_cast<std::int64_t>(tables[0].index.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t d = 0; d < width; ++d) {
      Number sum(0);
      for (const EmbeddingTable<Number>& table : tables) {
        sum += table.table[table.index[static_cast<std::size_t>(i)] * width + d];
      }
      y[i * width + d] = sum;
    }
  }
}

}  // namespace surprisal::reference
