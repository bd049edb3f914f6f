#include "objective/blank_spans.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace surprisal {
namespace {

template <typename Element>
void shuffle_all(Random& random, std::vector<Element>& elements) {  // Fisher-Yates
  for (std::size_t left = elements.size(); left > 1; --left) {
    std::swap(elements[left - 1], elements[random.below(static_cast<std::uint32_t>(left))]);
  }
}

}  // namespace

std::vector<std::int32_t> draw_lengths(Random& random, const SpanLengths& distribution, std::int64_t masked,
                                       std::int64_t room, std::int64_t gap) {
  std::vector<std::int32_t> lengths;
  for (std::int64_t sum = 0; sum < masked;) {
    const std::int64_t left = room - sum - gap * std::ssize(lengths);
    if (left < 1) break;
    lengths.push_back(static_cast<std::int32_t>(distribution.draw(random, static_cast<std::size_t>(left))));
    sum += lengths.back();
  }
  shuffle_all(random, lengths);
  return lengths;
}

Blanks place_spans(Random& random, std::span<const std::int32_t> lengths, Blank region, std::int64_t gap) {
  if (lengths.empty()) return {};
  const std::int64_t sum = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  const std::int64_t spare = region.size() - sum - gap * (std::ssize(lengths) - 1);
  std::vector<std::uint32_t> places(lengths.size());
  for (std::uint32_t& place : places) place = random.below(static_cast<std::uint32_t>(spare + 1));
  std::sort(places.begin(), places.end());
  Blanks blanks;
  std::int64_t taken = region.begin;  // by the spans before and the gaps behind them
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const std::int32_t begin = static_cast<std::int32_t>(taken + places[i]);
    blanks.push_back({begin, begin + lengths[i]});
    taken += lengths[i] + gap;
  }
  return blanks;
}

Blanks choose_sentences(Random& random, Blanks sentences, std::int64_t masked) {
  shuffle_all(random, sentences);
  std::size_t count = 0;
  for (std::int64_t sum = 0; count < sentences.size() && sum < masked; ++count)
    sum += sentences[count].size();
  sentences.resize(count);
  std::sort(sentences.begin(), sentences.end(),
            [](const Blank& a, const Blank& b) { return a.begin < b.begin; });
  return sentences;
}

std::vector<std::size_t> draw_order(Random& random, std::size_t count, bool shuffle) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (shuffle) shuffle_all(random, order);
  return order;
}

}  // namespace surprisal
