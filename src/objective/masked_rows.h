// Which rows of a sequence a masked objective predicts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "objective/span_lengths.h"

namespace surprisal {

using Rows = std::vector<std::int32_t>;  // ascending

struct Word {
  std::int32_t begin = 0, end = 0;  // rows; at least one
  std::size_t size() const { return static_cast<std::size_t>(end - begin); }
};

// max(1, round(probability * length)), halves to even: as BERT's create_pretraining_data, which counts
// special tokens in `length`.
std::size_t rounded_count(double probability, std::int32_t length);

// `count` of the rows, all alike; all of them where there are no more.
Rows choose_tokens(Random& random, std::size_t count, Rows rows);
// Each row alone; where none was drawn one of them, all alike.
Rows choose_tokens_alone(Random& random, double probability, Rows rows);

// Whole words, all alike, until they hold `count` rows. One that would overshoot is passed over, and a
// smaller one behind it may still fit. Where every word is too large the first drawn of the smallest is
// taken.
Rows choose_words(Random& random, std::size_t count, std::vector<Word> words);
Rows choose_words_alone(Random& random, double probability, const std::vector<Word>& words);

// Spans until they hold `count` rows, as in SpanBERT. A span has a drawn length and begins at the word that
// holds a row drawn from all; where that row is in a span already, both are drawn anew. It ends where words
// do not follow one another, and the last is cut off at `count`.
Rows choose_spans(Random& random, std::size_t count, const SpanLengths& lengths,
                  const std::vector<Word>& words);

}  // namespace surprisal
