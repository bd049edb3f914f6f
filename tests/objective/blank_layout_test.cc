// Every array of the layout, to the letter.
#include "objective/blank_layout.h"

#include <gtest/gtest.h>

#include "stream/check.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using namespace glm;
using Ids = std::vector<std::int32_t>;

constexpr SampleKey kKey{.seed = 1, .epoch = 2, .document = 3, .index = 4};
constexpr BlankLayout kSpans{.mask = kMask, .start_of_piece = kStart, .end_of_piece = kEndOfPiece};

// [CLS] x_1 .. x_8, x_i being 10 + i.
const Ids kText{kCls, 11, 12, 13, 14, 15, 16, 17, 18};

Stream laid_out(const Ids& text, const Blanks& blanks, const std::vector<std::size_t>& order,
                const BlankLayout& layout) {
  Stream sample;
  lay_out_blanks(text, blanks, order, layout, kKey, sample);
  check_stream(sample, {.vocabulary = 100}, "sample");
  return sample;
}

// What every row sees where the text has `context` rows of `rows`.
std::vector<Interval> sight(std::int32_t context, std::int32_t rows) {
  std::vector<Interval> visible;
  for (std::int32_t row = 0; row < rows; ++row) visible.push_back({0, row < context ? context : row + 1});
  return visible;
}

// Rows from `context` on, predicting `ids`.
std::vector<Target> targets(std::int32_t context, const Ids& ids) {
  std::vector<Target> target;
  for (std::int32_t id : ids) target.push_back({context++, id, 1});
  return target;
}

void expect_rest(const Stream& sample) {
  EXPECT_EQ(sample.segment, Ids(sample.token.size(), 0));
  EXPECT_TRUE(sample.label.empty());
  EXPECT_EQ(sample.sequence,
            (std::vector<Sequence>{{0, sample.size(), kKey.sample(), kKey.epoch, 0, kKey.document}}));
}

// Spans {x_3} and {x_5, x_6}, the second first: the worked example of the published code.
TEST(BlankLayout, SpansInAnyOrder) {
  Stream sample = laid_out(kText, {{3, 4}, {5, 7}}, {1, 0}, kSpans);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, kMask, 14, kMask, 17, 18, kStart, 15, 16, kStart, 13}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 3, 3}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 1, 2}));
  EXPECT_EQ(sample.visible, sight(8, 13));
  EXPECT_EQ(sample.target, targets(8, {15, 16, kEndOfPiece, 13, kEndOfPiece}));
  expect_rest(sample);
}

// Sentences x_1 x_2 x_3 and x_4 x_5 lie side by side: two masks in a row.
TEST(BlankLayout, SentencesSideBySide) {
  BlankLayout layout = kSpans;
  layout.mask = kSmask;
  Stream sample = laid_out(kText, {{1, 4}, {4, 6}}, {0, 1}, layout);
  EXPECT_EQ(sample.token, (Ids{kCls, kSmask, kSmask, 16, 17, 18, kStart, 11, 12, 13, kStart, 14, 15}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 3, 4, 5, 1, 1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 1, 2, 3}));
  EXPECT_EQ(sample.visible, sight(6, 13));
  EXPECT_EQ(sample.target, targets(6, {11, 12, 13, kEndOfPiece, 14, 15, kEndOfPiece}));
  expect_rest(sample);
}

// The document's end, end-of-text with it, as a prefix LM has it: no end of piece, one row more than the
// text.
TEST(BlankLayout, SuffixOfADocument) {
  BlankLayout layout{.mask = kGmask, .start_of_piece = kStart};
  const Ids text{kCls, 11, 12, 13, 14, 15, kEnd};
  Stream sample = laid_out(text, {{3, 7}}, {0}, layout);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, kGmask, kStart, 13, 14, 15}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 3, 3, 3, 3, 3}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 0, 1, 2, 3, 4}));
  EXPECT_EQ(sample.visible, sight(4, 8));
  EXPECT_EQ(sample.target, targets(4, {13, 14, 15, kEnd}));
  expect_rest(sample);
}

TEST(BlankLayout, MiddleOfADocument) {
  BlankLayout layout = kSpans;
  layout.mask = kGmask;
  const Ids text{kCls, 11, 12, 13, 14, 15, kEnd};
  Stream sample = laid_out(text, {{2, 5}}, {0}, layout);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, kGmask, 15, kEnd, kStart, 12, 13, 14}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 3, 4, 2, 2, 2, 2}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 0, 0, 1, 2, 3, 4}));
  EXPECT_EQ(sample.visible, sight(5, 9));
  EXPECT_EQ(sample.target, targets(5, {12, 13, 14, kEndOfPiece}));
  expect_rest(sample);
}

TEST(BlankLayout, PositionsOfPieces) {
  BlankLayout layout = kSpans;
  layout.position = PiecePosition::repeat;
  Stream repeated = laid_out(kText, {{3, 4}, {5, 7}}, {1, 0}, layout);
  EXPECT_EQ(repeated.position, (Ids{0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 3, 3}));
  EXPECT_EQ(repeated.block_position, Ids(13, 0));
  layout.position = PiecePosition::go_on;
  Stream counted = laid_out(kText, {{3, 4}, {5, 7}}, {1, 0}, layout);
  EXPECT_EQ(counted.position, (Ids{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(counted.block_position, Ids(13, 0));
  EXPECT_EQ(counted.target, repeated.target);
  EXPECT_EQ(counted.visible, repeated.visible);
}

// Without ends of pieces a piece has a row for each of its tokens, the last of which is no input.
TEST(BlankLayout, PiecesWithoutEnds) {
  BlankLayout layout{.mask = kMask, .start_of_piece = kStart};
  Stream sample = laid_out(kText, {{3, 4}, {5, 7}}, {1, 0}, layout);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, kMask, 14, kMask, 17, 18, kStart, 15, kStart}));
  EXPECT_EQ(sample.target, targets(8, {15, 16, 13}));
  EXPECT_EQ(sample.block_position, (Ids{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 1}));
}

TEST(BlankLayout, CutsOffRows) {
  const Stream whole = laid_out(kText, {{3, 4}, {5, 7}}, {1, 0}, kSpans);
  Stream sample = whole;
  cut_off(13, sample);
  EXPECT_EQ(sample, whole);
  cut_off(10, sample);
  check_stream(sample, {}, "cut");
  EXPECT_EQ(sample.token, Ids(whole.token.begin(), whole.token.begin() + 10));
  EXPECT_EQ(sample.visible, sight(8, 10));
  EXPECT_EQ(sample.target, targets(8, {15, 16}));
  EXPECT_EQ(sample.sequence.front().end, 10);
}

TEST(BlankLayout, ReadsItsRowsBack) {
  const Ids text_blanks{-1, -1, -1, 0, -1, 1, -1, -1}, text_pieces{-1, -1, -1, 1, -1, 0, -1, -1};
  for (PiecePosition position : {PiecePosition::two_dimensional, PiecePosition::repeat}) {
    BlankLayout layout = kSpans;
    layout.position = position;
    Ids blanks, pieces;
    for (BlankRow row : read_blanks(laid_out(kText, {{3, 4}, {5, 7}}, {1, 0}, layout), layout)) {
      blanks.push_back(row.blank);
      pieces.push_back(row.piece);
    }
    Ids wanted_blanks = text_blanks, wanted_pieces = text_pieces;
    for (std::int32_t blank : {1, 1, 1, 0, 0}) wanted_blanks.push_back(blank);
    for (std::int32_t piece : {0, 0, 0, 1, 1}) wanted_pieces.push_back(piece);
    EXPECT_EQ(blanks, wanted_blanks);
    EXPECT_EQ(pieces, wanted_pieces);
  }
}

}  // namespace
}  // namespace surprisal
