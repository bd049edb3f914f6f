#include "ops/embedding.h"

#include <algorithm>
#include <cassert>

#include "ops/embedding_cpu.h"

namespace surprisal {
namespace {

[[maybe_unused]] bool matches(const EmbeddingTable& table, const Tensor& y) {
  return table.table.dtype == Dtype::f32 && table.table.shape.rank() == 2 && y.dtype == Dtype::f32 &&
         y.shape.rank() == 2 && table.table.shape[1] == y.shape[1] &&
         static_cast<std::int64_t>(table.index.size()) == y.shape[0] &&
         std::all_of(table.index.begin(), table.index.end(),
                     [&](std::int32_t index) { return 0 <= index && index < table.table.shape[0]; });
}

}  // namespace

void embedding_forward(std::span<const EmbeddingTable> tables, const Tensor& y) {
  assert(!tables.empty());
  assert(std::all_of(tables.begin(), tables.end(), [&](const auto& table) { return matches(table, y); }));
  embedding_forward_cpu(tables, y.shape[1], y.f32());
}

void embedding_backward(std::span<const EmbeddingTable> gradients, const Tensor& dy, const Tensor& order) {
  assert(order.dtype == Dtype::i32 && order.elements() >= embedding_workspace(dy.shape[0]));
  for (const EmbeddingTable& gradient : gradients) {
    assert(matches(gradient, dy));
    embedding_backward_cpu(gradient, dy.shape[1], dy.f32(), order.i32());
  }
}

std::int64_t embedding_workspace(std::int64_t rows) {
  return 2 * rows;  // a sorted copy, and where the sort moves it to
}

}  // namespace surprisal
