#include "objective/span_lengths.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace surprisal {

SpanLengths::SpanLengths(std::vector<double> probabilities) : up_to_(std::move(probabilities)) {
  double sum = 0;
  for (double& value : up_to_) value = sum += value;
  for (double& value : up_to_) value /= sum;
}

SpanLengths SpanLengths::geometric(double p, std::int64_t most) {
  std::vector<double> probabilities;
  double term = p;
  for (std::int64_t length = 1; length <= most; ++length, term *= 1 - p) probabilities.push_back(term);
  return SpanLengths(std::move(probabilities));
}

SpanLengths SpanLengths::poisson(double lambda, std::int64_t most) {
  // Relative to the largest term, so that none is lost where lambda is far from all of them.
  std::vector<double> probabilities;
  for (std::int64_t length = 1; length <= most; ++length) {
    const double l = static_cast<double>(length);
    probabilities.push_back(l * std::log(lambda) - std::lgamma(l + 1));
  }
  const double largest = *std::max_element(probabilities.begin(), probabilities.end());
  for (double& value : probabilities) value = std::exp(value - largest);
  return SpanLengths(std::move(probabilities));
}

std::size_t SpanLengths::draw(Random& random, std::size_t longest) const {
  const auto last = up_to_.begin() + static_cast<std::ptrdiff_t>(std::min(longest, up_to_.size())) - 1;
  const double total = last + 1 == up_to_.end() ? 1 : *last;
  return static_cast<std::size_t>(std::upper_bound(up_to_.begin(), last, random.uniform() * total) -
                                  up_to_.begin()) +
         1;
}

}  // namespace surprisal
