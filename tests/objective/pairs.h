// Corpora of sentences, and pairs of segments taken apart. Ids tell where a token comes from: kFirstWord +
// 1000 * document + place.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "stream/check.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {

inline constexpr std::int32_t kStride = 1000;

inline std::uint64_t document_of(std::int32_t id) {
  return static_cast<std::uint64_t>((id - kFirstWord) / kStride);
}
inline std::int64_t place_of(std::int32_t id) {
  return (id - kFirstWord) % kStride;
}

// Documents whose sentences have the lengths that `lengths(document)` gives.
inline TokenCorpus sentences_of(std::int32_t documents,
                                const std::function<std::vector<std::uint32_t>(std::int32_t)>& lengths) {
  std::vector<TokenCorpus::Ids> corpus(documents);
  for (std::int32_t document = 0; document < documents; ++document) {
    std::uint32_t size = 0;
    for (std::uint32_t length : lengths(document)) {
      corpus[document].sentences.push_back(size);
      for (std::uint32_t end = size + length; size < end; ++size) {
        corpus[document].tokens.push_back(kFirstWord + kStride * document + static_cast<std::int32_t>(size));
      }
    }
  }
  return TokenCorpus::from_ids(corpus);
}

inline TokenCorpus equal_sentences(std::int32_t documents, std::size_t sentences, std::uint32_t length) {
  return sentences_of(documents, [&](std::int32_t) { return std::vector<std::uint32_t>(sentences, length); });
}

// Sentences of 1 to 30 tokens, documents of 1 to 25 sentences.
inline TokenCorpus mixed_sentences(std::int32_t documents) {
  return sentences_of(documents, [](std::int32_t document) {
    Random random({5, static_cast<std::uint64_t>(document), 0, Purpose::sampling});
    std::vector<std::uint32_t> lengths(1 + random.below(25));
    for (auto& length : lengths) length = 1 + random.below(30);
    return lengths;
  });
}

struct Pair {
  std::vector<std::int32_t> a, b;
  std::int32_t cls = 0;
  std::int64_t begin = 0, next = 0;          // cursors
  bool random() const { return cls == 1; }   // under nsp
  bool swapped() const { return cls == 1; }  // under sop
};

// Takes a sample apart, checking everything that holds for all.
inline Pair take_apart(const Stream& sample, std::int64_t length) {
  Pair pair;
  check_stream(sample, {.positions = length, .segments = 2, .classes = 2}, "pair");
  EXPECT_TRUE(sample.target.empty());
  EXPECT_EQ(sample.token.front(), kCls);
  EXPECT_EQ(sample.token.back(), kSep);
  auto middle = std::find(sample.token.begin(), sample.token.end(), kSep);
  pair.a.assign(sample.token.begin() + 1, middle);
  pair.b.assign(middle + 1, sample.token.end() - 1);
  EXPECT_FALSE(pair.a.empty());
  EXPECT_FALSE(pair.b.empty());
  std::int32_t segment_a = static_cast<std::int32_t>(pair.a.size()) + 2;
  for (std::int32_t row = 0; row < sample.size(); ++row) {
    EXPECT_EQ(sample.segment[row], row < segment_a ? 0 : 1);
    EXPECT_EQ(sample.visible[row], (Interval{0, sample.size()}));
    EXPECT_EQ(sample.position[row], row);
  }
  EXPECT_EQ(sample.label.size(), 1u);
  EXPECT_EQ(sample.label[0].row, 0);
  EXPECT_EQ(sample.label[0].weight, 1);
  pair.cls = sample.label[0].cls;
  return pair;
}

// The pairs of one pass over a document.
inline std::vector<Pair> pass(const Mixture& mixture, const TokenCorpus& corpus, std::uint64_t document,
                              std::uint32_t epoch = 0) {
  std::vector<Pair> pairs;
  SampleKey key{.seed = 1, .epoch = epoch, .document = document};
  std::int64_t size = static_cast<std::int64_t>(corpus.document(document).tokens.size());
  for (std::int64_t cursor = 0; cursor < size; ++key.index) {
    Stream sample;
    std::int64_t next = mixture.build(corpus, key, cursor, sample);
    EXPECT_GT(next, cursor);
    EXPECT_LE(next, size);
    pairs.push_back(take_apart(sample, mixture.sequence_length()));
    pairs.back().begin = cursor;
    pairs.back().next = next;
    cursor = next;
  }
  return pairs;
}

// Of the same corpus, alone and beside mlm: what is masked is all that differs.
inline void expect_same_but_masked(const std::vector<Stream>& pairs, std::vector<Stream> joined) {
  ASSERT_EQ(joined.size(), pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    EXPECT_EQ(joined[i].target.size(), std::max(1.0, std::nearbyint(0.15 * pairs[i].size())));
    for (const Target& target : joined[i].target) joined[i].token[target.row] = target.id;
    joined[i].target.clear();
    EXPECT_EQ(joined[i], pairs[i]);
  }
}

inline void expect_run(const std::vector<std::int32_t>& ids) {  // one piece of one document
  for (std::size_t i = 1; i < ids.size(); ++i) EXPECT_EQ(ids[i], ids[i - 1] + 1);
}

}  // namespace surprisal
