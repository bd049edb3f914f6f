// Attention over intervals, written as on paper.
#pragma once

#include <cmath>
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "ops/attention.h"

namespace surprisal::reference {

inline std::vector<std::int64_t> keys_seen(const Interval& interval, std::int64_t prefix) {
  std::vector<std::int64_t> keys;
  for (std::int64_t j = 0; j < prefix; ++j) keys.push_back(j);
  for (std::int64_t j = interval.begin; j < interval.end; ++j) keys.push_back(prefix + j);
  return keys;
}

// query [N, heads, size], key and value [P + M, key_heads, size], dense: the first P = `prefix` are seen by
// every row, and the intervals count behind them. `keep` [N, heads, P + M] are dropout factors, or empty.
template <class Number>
std::vector<Number> attention(const AttentionShape& shape, std::span<const Interval> visible,
                              const std::vector<Number>& query, const std::vector<Number>& key,
                              const std::vector<Number>& value, const std::vector<double>& keep = {},
                              std::int64_t prefix = 0) {
  using std::exp;
  std::int64_t rows = static_cast<std::int64_t>(visible.size()), size = shape.head_size;
  std::int64_t keys = static_cast<std::int64_t>(key.size()) / (shape.key_heads * size);
  std::vector<Number> out(query.size(), Number(0));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      std::int64_t key_head = head / (shape.heads / shape.key_heads);
      const std::vector<std::int64_t> seen = keys_seen(visible[static_cast<std::size_t>(row)], prefix);
      std::vector<Number> weight;
      double most = -1e300;
      for (std::int64_t j : seen) {
        Number dot(0);
        for (std::int64_t d = 0; d < size; ++d) {
          dot += query[static_cast<std::size_t>((row * shape.heads + head) * size + d)] *
                 key[static_cast<std::size_t>((j * shape.key_heads + key_head) * size + d)];
        }
        weight.push_back(dot * Number(shape.scale));
        most = std::max(most, static_cast<double>(std::real(weight.back())));
      }
      Number sum(0);
      for (Number& w : weight) sum += (w = exp(w - Number(most)));
      for (std::size_t index = 0; index < seen.size(); ++index) {
        const std::int64_t j = seen[index];
        Number p = weight[index] / sum;
        if (!keep.empty()) p *= Number(keep[static_cast<std::size_t>((row * shape.heads + head) * keys + j)]);
        for (std::int64_t d = 0; d < size; ++d) {
          out[static_cast<std::size_t>((row * shape.heads + head) * size + d)] +=
              p * value[static_cast<std::size_t>((j * shape.key_heads + key_head) * size + d)];
        }
      }
    }
  }
  return out;
}

}  // namespace surprisal::reference
