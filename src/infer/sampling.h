// A token drawn from logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "surprisal/generate.h"
#include "surprisal/tokenizer.h"

#include "core/random.h"

namespace surprisal {

// Throws Error (usage) where one is out of range.
void check(const SamplingOptions& options);

// The ids below `vocabulary` that stand for text, and `ends`.
std::vector<std::int32_t> drawable_tokens(const Tokenizer& tokenizer, std::int64_t vocabulary,
                                          std::span<const std::int32_t> ends);

// Log of the sum of exponentials. Throws Error (diverged) where a logit is not finite.
double log_sum_exp(std::span<const float> logits);

struct DrawnToken {
  std::int32_t id = 0;
  double nats = 0;  // -log p under the whole distribution, not that drawn from
};

class TokenSampler {
 public:
  // `drawable` is of drawable_tokens() and must outlive the sampler. `sample` has numbers of its own.
  TokenSampler(const SamplingOptions& options, const std::vector<std::int32_t>& drawable,
               std::uint64_t sample);

  // `banned` are not drawn, unless nothing else is left. Throws Error (diverged) where a logit is not finite.
  DrawnToken draw(std::span<const float> logits, std::span<const std::int32_t> banned = {});

 private:
  std::int32_t choose(std::span<const float> logits, std::span<const std::int32_t> banned);
  std::int32_t draw_of_all(std::span<const float> logits);
  std::int32_t draw_of_best(std::span<const float> logits);
  void sort_best(std::span<const float> logits, std::size_t count);
  double weight(float logit, float most) const;

  const SamplingOptions options_;
  const std::vector<std::int32_t>& drawable_;
  Random random_;
  std::vector<std::int32_t> ids_;  // the first sorted_ are the most probable, in order
  std::size_t sorted_ = 0;
};

}  // namespace surprisal
