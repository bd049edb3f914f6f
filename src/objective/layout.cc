#include "objective/layout.h"

#include <algorithm>
#include <numeric>

namespace surprisal {

void number_rows(const SampleKey& key, Stream& sample) {
  sample.position.resize(sample.token.size());
  std::iota(sample.position.begin(), sample.position.end(), 0);
  sample.block_position.assign(sample.token.size(), 0);
  sample.sequence.push_back({.begin = 0,
                             .end = sample.size(),
                             .sample = key.sample(),
                             .epoch = key.epoch,
                             .part = 0,
                             .document = key.document});
}

void lay_out_template(std::span<const TemplatePiece> pieces, std::span<const std::int32_t> a,
                      std::span<const std::int32_t> b, const SampleKey& key, Stream& sample) {
  for (const TemplatePiece& piece : pieces) {
    std::span<const std::int32_t> tokens(&piece.id, 1);
    if (piece.sequence >= 0) tokens = piece.sequence == 0 ? a : b;
    sample.token.insert(sample.token.end(), tokens.begin(), tokens.end());
    sample.segment.resize(sample.token.size(), piece.segment);
  }
  sample.visible.assign(sample.token.size(), {0, sample.size()});
  number_rows(key, sample);
}

std::int64_t special_rows(std::span<const TemplatePiece> pieces) {
  return std::count_if(pieces.begin(), pieces.end(),
                       [](const TemplatePiece& piece) { return piece.sequence < 0; });
}

}  // namespace surprisal
