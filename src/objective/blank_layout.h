// The sequence of a text with blanks: Part A, the text with one mask for each blank, of which every row sees
// every other; then Part B, the pieces in the order of prediction, each row of which sees Part A, the pieces
// before and its own so far. docs/objectives/blank_infilling.md has it in full.
//
//   Part A   text with masks                                  no targets
//   Part B   input   start-of-piece, s_1 .. s_l               for each piece; without an end of piece s_l is
//            target  s_1 .. s_l, end-of-piece                 no input
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "objective/blank_spans.h"
#include "objective/objective.h"

namespace surprisal {

// Where a row of a piece stands. Part A counts from 0.
enum class PiecePosition {
  two_dimensional,  // position: its mask's; block position: 1 at start-of-piece, and counted on
  repeat,           // position: its mask's
  go_on             // position: the row's number
};

// By the names that options have: "two_dimensional", "repeat", "continue". Throws Error (usage) naming
// `option`, with the nearest of them.
PiecePosition piece_position(const std::string& option, const std::string& name);
const char* name_of(PiecePosition position);

struct BlankLayout {
  std::int32_t mask = 0;
  std::int32_t start_of_piece = 0;
  std::optional<std::int32_t> end_of_piece{};
  PiecePosition position = PiecePosition::two_dimensional;
};

// Fills the empty `sample`. `order` holds indices into `blanks`. Returns the first row of each piece.
std::vector<std::int32_t> lay_out_blanks(std::span<const std::int32_t> text, const Blanks& blanks,
                                         std::span<const std::size_t> order, const BlankLayout& layout,
                                         const SampleKey& key, Stream& sample);

// Cuts off the rows of Part B that would make a sample longer than `rows`. REQUIRES that Part A fits.
void cut_off(std::int32_t rows, Stream& sample);

// What a row of such a sample is, read from its arrays.
struct BlankRow {
  std::int32_t piece = -1;  // in the order of prediction, from 0; -1: the row is of the text
  std::int32_t blank = -1;  // from left to right; -1: none, or of several it cannot be told which (go_on)
};
std::vector<BlankRow> read_blanks(const Stream& sample, const BlankLayout& layout);

}  // namespace surprisal
