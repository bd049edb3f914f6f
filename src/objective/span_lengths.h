// How long spans are: a distribution over 1 .. most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/random.h"

namespace surprisal {

class SpanLengths {
 public:
  // p(l) = p (1 - p)^(l - 1), divided by its sum over 1 .. most. REQUIRES 0 < p <= 1, most >= 1.
  static SpanLengths geometric(double p, std::int64_t most);
  // p(l) = lambda^l e^-lambda / l!, likewise: no span is empty. REQUIRES lambda > 0, most >= 1.
  static SpanLengths poisson(double lambda, std::int64_t most);

  std::size_t draw(Random& random) const { return draw(random, up_to_.size()); }
  // Given that the length is no more than `longest`, which is at least 1.
  std::size_t draw(Random& random, std::size_t longest) const;

 private:
  explicit SpanLengths(std::vector<double> probabilities);  // which need not sum to 1

  std::vector<double> up_to_;  // probability of at most index + 1
};

}  // namespace surprisal
