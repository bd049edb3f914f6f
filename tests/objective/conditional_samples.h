// Pairs and chats of ids, and their samples.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "stream/check.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {

using Ids = std::vector<std::int32_t>;

// Parts by turns: context, completion, ...
inline TokenCorpus::Ids pair_document(const std::vector<Ids>& parts, std::uint8_t marks = 0) {
  TokenCorpus::Ids document;
  document.kind = DocumentKind::pair;
  document.marks = marks;
  for (const Ids& part : parts) {
    document.sentences.push_back(static_cast<std::uint32_t>(document.tokens.size()));
    document.tokens.insert(document.tokens.end(), part.begin(), part.end());
  }
  return document;
}

inline TokenCorpus pairs_of(const std::vector<std::pair<Ids, Ids>>& pairs, std::uint8_t marks = 0) {
  std::vector<TokenCorpus::Ids> documents;
  for (const auto& [prompt, completion] : pairs)
    documents.push_back(pair_document({prompt, completion}, marks));
  return TokenCorpus::from_ids(documents);
}

inline TokenCorpus chat_of(const std::vector<Ids>& parts) {
  return TokenCorpus::from_ids({pair_document(parts, PairMark::chat)});
}

// The one sample of a corpus of one pair.
inline Stream pair_sample(const TokenCorpus& pair, const Tokenizer& tokenizer, std::int64_t length,
                          const ObjectiveOptions& options = {}) {
  std::vector<Stream> samples = samples_of(pair, Mixture("conditional", options, tokenizer, length));
  EXPECT_EQ(samples.size(), 1u);
  check_stream(samples.at(0), {.vocabulary = 100, .positions = length, .block_positions = length}, "sample");
  return samples.at(0);
}

// Rows [0, context) see one another, the others what stands before them.
inline std::vector<Interval> visible(std::int32_t context, std::int32_t size) {
  std::vector<Interval> intervals;
  for (std::int32_t row = 0; row < size; ++row) intervals.push_back({0, std::max(context, row + 1)});
  return intervals;
}

}  // namespace surprisal
