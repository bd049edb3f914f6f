// The surprisal of each target, written as on paper.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

namespace surprisal::reference {

// hidden [T, width], weight [V, width], bias [V] (or empty); returns -log softmax at the targets, [T], mixed
// with the mean over the vocabulary by `smoothing`.
template <class Number>
std::vector<Number> linear_cross_entropy(std::int64_t width, const std::vector<Number>& hidden,
                                         const std::vector<Number>& weight, const std::vector<Number>& bias,
                                         std::span<const std::int32_t> target, double smoothing = 0) {
  using std::exp;
  using std::log;
  std::size_t columns = static_cast<std::size_t>(width), vocabulary = weight.size() / columns;
  std::vector<Number> surprisal;
  for (std::size_t t = 0; t < target.size(); ++t) {
    std::vector<Number> logits(vocabulary, Number(0));
    double most = -1e300;
    for (std::size_t v = 0; v < vocabulary; ++v) {
      if (!bias.empty()) logits[v] = bias[v];
      for (std::size_t d = 0; d < columns; ++d)
        logits[v] += hidden[t * columns + d] * weight[v * columns + d];
      most = std::max(most, static_cast<double>(std::real(logits[v])));
    }
    Number sum(0);
    for (const Number& logit : logits) sum += exp(logit - Number(most));
    const Number normal = log(sum) + Number(most);
    Number mean(0);
    for (const Number& logit : logits) mean += (normal - logit) / Number(static_cast<double>(vocabulary));
    surprisal.push_back(Number(1 - smoothing) * (normal - logits[static_cast<std::size_t>(target[t])]) +
                        Number(smoothing) * mean);
  }
  return surprisal;
}

}  // namespace surprisal::reference
