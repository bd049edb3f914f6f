// What a stream may hold to go through a model.
#pragma once

#include "model/config.h"
#include "stream/check.h"

namespace surprisal {

inline StreamLimits limits_of(const ModelConfig& config) {
  return {.vocabulary = config.vocab_size,
          .positions = config.max_position_embeddings,
          .block_positions = config.block_positions,
          .segments = config.type_vocab_size,
          .classes = config.classes};
}

}  // namespace surprisal
