// What a stream may hold to go through a model.
#pragma once

#include <algorithm>
#include <cstdint>

#include "surprisal/tokenizer.h"

#include "model/config.h"
#include "stream/check.h"

namespace surprisal {

inline StreamLimits limits_of(const ModelConfig& config) {
  return {.vocabulary = config.vocab_size,
          .positions = config.stream_positions(),
          .block_positions = std::max<std::int64_t>(config.block_positions, 1),  // without a table: 0 alone
          .segments = std::max<std::int64_t>(config.type_vocab_size, 1),
          .classes = config.classes,
          .targets = config.vocabulary_head()};
}

// Throws Error (data) where the tokenizer has more tokens than the model has embeddings.
void check_vocabulary(const ModelConfig& config, const Tokenizer& tokenizer);

// Throws Error (usage) of a classifier, which has no vocabulary head.
void require_language_model(const ModelConfig& config);

}  // namespace surprisal
