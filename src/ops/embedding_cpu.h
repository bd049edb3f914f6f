// What the front of the embeddings asks of the CPU.
#pragma once

#include <cstdint>
#include <span>

#include "ops/embedding.h"

namespace surprisal {

void embedding_forward_cpu(std::span<const EmbeddingTable> tables, std::int64_t width, float* y);

// `order` holds 2 N elements.
void embedding_backward_cpu(const EmbeddingTable& gradient, std::int64_t width, const float* dy,
                            std::int32_t* order);

}  // namespace surprisal
