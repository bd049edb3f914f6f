#include "objective/masked_rows.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace surprisal {
namespace {

template <typename Element>
void shuffle_front(Random& random, std::size_t count, std::vector<Element>& elements) {
  for (std::size_t i = 0; i < count; ++i) {  // the first steps of a Fisher-Yates shuffle
    std::swap(elements[i], elements[i + random.below(static_cast<std::uint32_t>(elements.size() - i))]);
  }
}

void append(const Word& word, Rows& rows) {
  for (std::int32_t row = word.begin; row < word.end; ++row) rows.push_back(row);
}

}  // namespace

std::size_t rounded_count(double probability, std::int32_t length) {
  return static_cast<std::size_t>(std::max(1.0, std::nearbyint(probability * length)));
}

Rows choose_tokens(Random& random, std::size_t count, Rows rows) {
  count = std::min(count, rows.size());
  shuffle_front(random, count, rows);
  rows.resize(count);
  std::sort(rows.begin(), rows.end());
  return rows;
}

Rows choose_tokens_alone(Random& random, double probability, Rows rows) {
  std::int32_t fallback = rows[random.below(static_cast<std::uint32_t>(rows.size()))];
  std::erase_if(rows, [&](std::int32_t) { return random.uniform() >= probability; });
  if (rows.empty()) rows.push_back(fallback);
  return rows;
}

Rows choose_words(Random& random, std::size_t count, std::vector<Word> words) {
  shuffle_front(random, words.size(), words);
  Rows rows;
  for (const Word& word : words) {
    if (rows.size() + word.size() <= count) append(word, rows);
  }
  if (rows.empty()) {
    append(*std::min_element(words.begin(), words.end(),
                             [](const Word& a, const Word& b) { return a.size() < b.size(); }),
           rows);
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

Rows choose_words_alone(Random& random, double probability, const std::vector<Word>& words) {
  const Word& fallback = words[random.below(static_cast<std::uint32_t>(words.size()))];
  Rows rows;
  for (const Word& word : words) {
    if (random.uniform() < probability) append(word, rows);
  }
  if (rows.empty()) append(fallback, rows);
  return rows;
}

Rows choose_spans(Random& random, std::size_t count, const SpanLengths& lengths,
                  const std::vector<Word>& words) {
  struct Place {
    std::int32_t row;
    std::size_t word;
    bool chosen = false;
  };
  std::vector<Place> places;
  std::vector<std::size_t> first_place;  // of each word
  for (std::size_t word = 0; word < words.size(); ++word) {
    first_place.push_back(places.size());
    for (std::int32_t row = words[word].begin; row < words[word].end; ++row) places.push_back({row, word});
  }
  count = std::min(count, places.size());
  for (std::size_t chosen = 0; chosen < count;) {
    std::size_t length = lengths.draw(random);
    std::size_t anchor = random.below(static_cast<std::uint32_t>(places.size()));
    if (places[anchor].chosen) continue;
    std::size_t word = places[anchor].word, last = word;
    while (last - word + 1 < length && last + 1 < words.size() && words[last + 1].begin == words[last].end)
      ++last;
    std::size_t end = first_place[last] + words[last].size();
    for (std::size_t place = first_place[word]; place < end && chosen < count; ++place) {
      chosen += !std::exchange(places[place].chosen, true);
    }
  }
  Rows rows;
  for (const Place& place : places) {
    if (place.chosen) rows.push_back(place.row);
  }
  return rows;
}

}  // namespace surprisal
