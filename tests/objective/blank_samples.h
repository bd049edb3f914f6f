// Samples of blank infilling, taken apart: what was blank, in which order, and whether the arrays say so.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "objective/mixture.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {

struct TakenApart {
  std::vector<std::int32_t> text;   // with its pieces put back
  std::vector<std::int32_t> begin;  // of each blank in the text, from left to right
  std::vector<std::int32_t> size;
  std::vector<std::size_t> order;  // blanks as they are predicted
  std::int32_t mask = -1;
  std::int32_t hidden = 0, inputs = 0;  // inputs of pieces besides start-of-piece, and how many are noise
  std::int32_t blank_tokens() const {
    std::int32_t sum = 0;
    for (std::int32_t one : size) sum += one;
    return sum;
  }
};

// Takes apart a sample with two-dimensional positions, checking every rule of the layout. `end_of_piece`: -1
// where pieces have none.
inline TakenApart take_apart_blanks(const Stream& sample, std::int32_t end_of_piece = glm::kEndOfPiece) {
  TakenApart apart;
  const std::int32_t context = sample.visible.front().end;
  std::vector<std::vector<std::int32_t>> piece_at(context);  // by the row of its mask
  std::vector<std::int32_t> mask_rows;
  EXPECT_EQ(std::ssize(sample.target), sample.size() - context);
  for (std::int32_t row = 0; row < context; ++row) {
    EXPECT_EQ(sample.visible[row], (Interval{0, context}));
    EXPECT_EQ(sample.position[row], row);
    EXPECT_EQ(sample.block_position[row], 0);
  }
  for (std::int32_t row = context; row < sample.size(); ++row) {
    const Target target = sample.target[row - context];
    EXPECT_EQ(target.row, row);
    EXPECT_EQ(target.weight, 1);
    EXPECT_EQ(sample.visible[row], (Interval{0, row + 1}));
    const bool begins = sample.token[row] == glm::kStart;
    EXPECT_EQ(sample.block_position[row], begins ? 1 : sample.block_position[row - 1] + 1);
    if (begins) {
      mask_rows.push_back(sample.position[row]);
      EXPECT_TRUE(piece_at.at(mask_rows.back()).empty());
    } else {
      EXPECT_EQ(sample.position[row], mask_rows.back());
      ++apart.inputs;
      apart.hidden += sample.token[row] != sample.target[row - context - 1].id;
    }
    const bool ends = row + 1 == sample.size() || sample.token[row + 1] == glm::kStart;
    EXPECT_EQ(target.id == end_of_piece, ends && end_of_piece >= 0);
    if (target.id != end_of_piece) piece_at.at(mask_rows.back()).push_back(target.id);
  }
  for (std::int32_t row = 0; row < context; ++row) {
    if (piece_at[row].empty()) {
      apart.text.push_back(sample.token[row]);
      continue;
    }
    apart.mask = sample.token[row];
    apart.begin.push_back(static_cast<std::int32_t>(apart.text.size()));
    apart.size.push_back(static_cast<std::int32_t>(piece_at[row].size()));
    apart.text.insert(apart.text.end(), piece_at[row].begin(), piece_at[row].end());
  }
  std::vector<std::int32_t> sorted = mask_rows;
  std::sort(sorted.begin(), sorted.end());
  for (std::int32_t row : mask_rows) {
    apart.order.push_back(
        static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), row) - sorted.begin()));
  }
  return apart;
}

inline Mixture infilling(const BlankInfillingOptions& options, std::int64_t sequence_length) {
  ObjectiveOptions all;
  all.blank_infilling = options;
  return Mixture("blank_infilling", all, glm_tokenizer(), sequence_length);
}

}  // namespace surprisal
