#include "infer/generate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "surprisal/stream.h"

#include "core/random.h"

namespace surprisal {
namespace {

Stream causal_stream(const std::vector<std::int32_t>& ids) {
  Stream stream;
  std::int32_t size = static_cast<std::int32_t>(ids.size());
  stream.token = ids;
  for (std::int32_t row = 0; row < size; ++row) {
    stream.position.push_back(row);
    stream.visible.push_back({0, row + 1});
  }
  stream.block_position.assign(ids.size(), 0);
  stream.segment.assign(ids.size(), 0);
  stream.sequence.push_back({.begin = 0, .end = size});
  return stream;
}

constexpr float kNever = -std::numeric_limits<float>::infinity();

// The `keep` largest logits' ids, largest first; ties to the smaller id.
std::vector<std::int32_t> top(const std::vector<float>& logits, std::int64_t keep) {
  std::vector<std::int32_t> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  auto end = keep > 0 ? ids.begin() + std::min<std::ptrdiff_t>(keep, std::ssize(ids)) : ids.end();
  std::partial_sort(ids.begin(), end, ids.end(), [&](std::int32_t a, std::int32_t b) {
    float x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  });
  ids.erase(end, ids.end());
  return ids;
}

std::int32_t draw(const std::vector<float>& logits, const GenerateOptions& options, Random& random) {
  std::vector<std::int32_t> ids = top(logits, options.temperature > 0 ? options.top_k : 1);
  if (ids.size() == 1) return ids.front();
  std::vector<double> cumulative;
  double total = 0, largest = logits[static_cast<std::size_t>(ids.front())];
  for (std::int32_t id : ids) {
    total += std::exp((logits[static_cast<std::size_t>(id)] - largest) / options.temperature);
    cumulative.push_back(total);
  }
  auto chosen = std::upper_bound(cumulative.begin(), cumulative.end(), random.uniform() * total);
  return ids[static_cast<std::size_t>(
      std::min<std::ptrdiff_t>(chosen - cumulative.begin(), std::ssize(ids) - 1))];
}

// Special tokens but `end`, and ids that only the model has (an embedding padded to a round number of rows).
void forbid_no_text(const Tokenizer& tokenizer, std::int32_t end, std::vector<float>& logits) {
  for (std::size_t index = 0; index < logits.size(); ++index) {
    std::int32_t id = static_cast<std::int32_t>(index);
    if (id != end && (tokenizer.is_special(id) || tokenizer.token(id).empty())) logits[index] = kNever;
  }
}

}  // namespace

std::vector<std::int32_t> generate(Transformer& model, const Tokenizer& tokenizer,
                                   const GenerateOptions& options) {
  const std::int32_t end = *tokenizer.special().eos;
  Random random({options.seed, options.sample, 0, Purpose::sampling});
  std::vector<std::int32_t> ids{*tokenizer.special().bos};
  std::vector<float> logits(static_cast<std::size_t>(model.config().vocab_size));
  std::int64_t most = std::min(options.max_tokens, model.config().max_position_embeddings - 1);
  StreamResult result;
  while (static_cast<std::int64_t>(ids.size()) <= most) {
    model.evaluate(causal_stream(ids), result);
    model.logits(static_cast<std::int64_t>(ids.size()) - 1, logits);
    forbid_no_text(tokenizer, end, logits);
    std::int32_t next = draw(logits, options, random);
    if (next == end) break;
    ids.push_back(next);
  }
  ids.erase(ids.begin());
  if (options.right_to_left) std::reverse(ids.begin(), ids.end());
  return ids;
}

}  // namespace surprisal
