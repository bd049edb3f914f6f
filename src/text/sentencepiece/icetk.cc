#include "text/sentencepiece/icetk.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

namespace surprisal {
namespace {

using Piece = SentencePieceModel::Piece;
using Type = SentencePieceModel::Type;

constexpr std::size_t kMaxBlanks = 80;
constexpr const char *kLineEnd = "<n>", *kTab = "<|tab|>";
constexpr const char* kSpecials[] = {"[MASK]", "[gMASK]", "[sMASK]", "<eod>",
                                     "<sop>",  "<eop>",   "<ENC>",   "<dBLOCK>"};

std::string blanks_piece(std::size_t count) {
  return fmt::format("<|blank_{}|>", count);
}

// The piece of a run of blanks, tabs or lines' ends that begins at `at`, and how many bytes it stands for;
// empty where none begins.
std::pair<std::string, std::size_t> piece_at(std::string_view text, std::size_t at) {
  if (text[at] == '\n') return {kLineEnd, 1};
  if (text[at] == '\t') return {kTab, 1};
  std::size_t end = std::min(text.find_first_not_of(' ', at), text.size());
  std::size_t blanks = std::min(end - at, kMaxBlanks);
  if (blanks < 2) return {"", 1};
  return {blanks_piece(blanks), blanks};
}

}  // namespace

SentencePieceModel icetk_model(SentencePieceModel file, const std::string& where) {
  if (std::ssize(file.pieces) != kIcetkPieces) {
    throw Error(ErrorKind::data, {.what = "the layout icetk has another number of pieces",
                                  .where = where,
                                  .found = fmt::format("{}", file.pieces.size()),
                                  .expected = fmt::format("{}", kIcetkPieces)});
  }
  auto is_line_end = [](const Piece& piece) { return piece.text == kLineEnd; };
  if (std::none_of(file.pieces.begin(), file.pieces.end(), is_line_end)) {
    throw Error(ErrorKind::data, {.what = "the layout icetk needs a piece <n>", .where = where});
  }
  std::vector<Piece> pieces;
  for (std::int64_t i = 0; i < kIcetkImages; ++i)
    pieces.push_back({fmt::format("<image_{}>", i), 0, Type::image});
  std::move(file.pieces.begin(), file.pieces.end(), std::back_inserter(pieces));
  for (const char* special : kSpecials) pieces.push_back({special, 0, Type::control});
  pieces.push_back({kTab, 0, Type::user_defined});
  for (std::size_t count = 2; count <= kMaxBlanks; ++count) {
    pieces.push_back({blanks_piece(count), 0, Type::user_defined});
  }
  file.pieces = std::move(pieces);
  for (std::int32_t* id : {&file.unknown, &file.begin_id, &file.end_id, &file.padding_id}) {
    if (*id >= 0) *id += static_cast<std::int32_t>(kIcetkImages);
  }
  return file;
}

void IcetkNormalizer::normalize(AlignedText& text) const {
  AlignedText result = text.successor();
  std::string_view input = text.text;
  for (std::size_t at = 0; at < input.size();) {
    std::size_t next = std::min(input.find_first_of("\n\t ", at), input.size());
    result.append(text, {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(next)});
    if (next == input.size()) break;
    auto [piece, size] = piece_at(input, next);
    result.append(piece.empty() ? input.substr(next, 1) : std::string_view(piece), text.origin[next]);
    at = next + size;
  }
  text = std::move(result);
}

void IcetkDecoder::decode(std::vector<std::string>& pieces) const {
  for (std::string& piece : pieces) {
    if (piece == kLineEnd) piece = "\n";
    if (piece == kTab) piece = "\t";
    if (!piece.starts_with("<|blank_")) continue;
    for (std::size_t count = 2; count <= kMaxBlanks; ++count) {
      if (piece == blanks_piece(count)) piece = std::string(count, ' ');
    }
  }
}

OrderedJson icetk_normalizers() {
  OrderedJson list = OrderedJson::array();
  auto add = [&](const std::string& text, const std::string& piece) {
    list.push_back({{"type", "Replace"}, {"pattern", {{"String", text}}}, {"content", piece}});
  };
  add("\n", kLineEnd);
  add("\t", kTab);
  for (std::size_t count = kMaxBlanks; count >= 2; --count) add(std::string(count, ' '), blanks_piece(count));
  return list;
}

}  // namespace surprisal
