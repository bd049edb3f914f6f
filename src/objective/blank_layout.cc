#include "objective/blank_layout.h"

#include <algorithm>

#include "objective/layout.h"
#include "objective/requirements.h"

namespace surprisal {
namespace {

// Returns the row of each blank's mask.
std::vector<std::int32_t> lay_out_text(std::span<const std::int32_t> text, const Blanks& blanks,
                                       std::int32_t mask, Stream& sample) {
  std::vector<std::int32_t> mask_rows;
  auto at = text.begin();
  for (const Blank& blank : blanks) {
    sample.token.insert(sample.token.end(), at, text.begin() + blank.begin);
    mask_rows.push_back(sample.size());
    sample.token.push_back(mask);
    at = text.begin() + blank.end;
  }
  sample.token.insert(sample.token.end(), at, text.end());
  sample.visible.assign(sample.token.size(), {0, sample.size()});
  return mask_rows;
}

void push_piece(std::span<const std::int32_t> piece, const BlankLayout& layout, Stream& sample) {
  std::int32_t input = layout.start_of_piece;
  auto push_row = [&](std::int32_t next) {
    const std::int32_t row = sample.size();
    sample.token.push_back(input);
    sample.visible.push_back({0, row + 1});
    sample.target.push_back({row, next, 1});
    input = next;
  };
  for (std::int32_t token : piece) push_row(token);
  if (layout.end_of_piece) push_row(*layout.end_of_piece);
}

void place_piece(std::int32_t begin, std::int32_t end, std::int32_t mask_row, PiecePosition position,
                 Stream& sample) {
  if (position == PiecePosition::go_on) return;
  for (std::int32_t row = begin; row < end; ++row) {
    sample.position[row] = mask_row;
    if (position == PiecePosition::two_dimensional) sample.block_position[row] = row - begin + 1;
  }
}

}  // namespace

PiecePosition piece_position(const std::string& option, const std::string& name) {
  require_choice(option, name, {"two_dimensional", "repeat", "continue"});
  if (name == "repeat") return PiecePosition::repeat;
  return name == "continue" ? PiecePosition::go_on : PiecePosition::two_dimensional;
}

const char* name_of(PiecePosition position) {
  return position == PiecePosition::two_dimensional ? "two_dimensional"
         : position == PiecePosition::repeat        ? "repeat"
                                                    : "continue";
}

std::vector<std::int32_t> lay_out_blanks(std::span<const std::int32_t> text, const Blanks& blanks,
                                         std::span<const std::size_t> order, const BlankLayout& layout,
                                         const SampleKey& key, Stream& sample) {
  const std::vector<std::int32_t> mask_rows = lay_out_text(text, blanks, layout.mask, sample);
  std::vector<std::int32_t> begins;
  for (std::size_t index : order) {
    begins.push_back(sample.size());
    push_piece(text.subspan(blanks[index].begin, blanks[index].size()), layout, sample);
  }
  sample.segment.assign(sample.token.size(), 0);
  number_rows(key, sample);
  for (std::size_t piece = 0; piece < order.size(); ++piece) {
    const std::int32_t end = piece + 1 < order.size() ? begins[piece + 1] : sample.size();
    place_piece(begins[piece], end, mask_rows[order[piece]], layout.position, sample);
  }
  return begins;
}

void cut_off(std::int32_t rows, Stream& sample) {
  if (sample.size() <= rows) return;
  sample.token.resize(rows);
  sample.position.resize(rows);
  sample.block_position.resize(rows);
  sample.segment.resize(rows);
  sample.visible.resize(rows);
  std::erase_if(sample.target, [&](const Target& target) { return target.row >= rows; });
  sample.sequence.front().end = rows;
}

std::vector<BlankRow> read_blanks(const Stream& sample, const BlankLayout& layout) {
  std::vector<BlankRow> rows(sample.token.size());
  const std::int32_t context = sample.visible.front().end;
  std::int32_t blanks = 0, pieces = 0;
  for (std::int32_t row = 0; row < context; ++row) {
    if (sample.token[row] == layout.mask) rows[row].blank = blanks++;
  }
  for (std::int32_t row = context; row < sample.size(); ++row) {
    const bool begins = layout.position == PiecePosition::two_dimensional
                            ? sample.block_position[row] == 1
                            : sample.token[row] == layout.start_of_piece;
    pieces += begins;
    rows[row].piece = pieces - 1;
    if (layout.position == PiecePosition::go_on) {
      if (blanks == 1) rows[row].blank = 0;
      continue;
    }
    BlankRow& mask = rows[sample.position[row]];
    rows[row].blank = mask.blank;
    mask.piece = rows[row].piece;
  }
  return rows;
}

}  // namespace surprisal
