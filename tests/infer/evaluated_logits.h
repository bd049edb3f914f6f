// What a model says behind a text, by the whole text going through it: the definition that a cache is held
// to.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "model/transformer.h"

namespace surprisal {

inline std::vector<float> evaluated_logits(Transformer& model, const Stream& stream, std::int32_t row) {
  StreamResult result;
  model.evaluate(stream, result);
  std::vector<float> logits(static_cast<std::size_t>(model.config().vocab_size));
  model.logits(std::array{row}, logits);
  return logits;
}

// Left to right; the first `prefix` rows see one another.
inline std::vector<float> evaluated_logits(Transformer& model, const std::vector<std::int32_t>& ids,
                                           std::int32_t prefix = 0) {
  Stream stream;
  const std::int32_t size = static_cast<std::int32_t>(ids.size());
  stream.token = ids;
  for (std::int32_t row = 0; row < size; ++row) {
    stream.position.push_back(row);
    stream.visible.push_back({0, std::max(prefix, row + 1)});
  }
  stream.segment.assign(ids.size(), 0);
  stream.block_position.assign(ids.size(), 0);
  stream.sequence = {{.begin = 0, .end = size}};
  return evaluated_logits(model, stream, size - 1);
}

inline double surprisal_of(const std::vector<float>& logits, std::int32_t id) {
  double sum = 0;
  for (float logit : logits) sum += std::exp(double{logit});
  return std::log(sum) - logits[static_cast<std::size_t>(id)];
}

}  // namespace surprisal
