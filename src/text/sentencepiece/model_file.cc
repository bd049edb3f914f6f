#include "text/sentencepiece/model_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/json.h"
#include "text/sentencepiece/wire_reader.h"
#include "text/tokenizer/charsmap.h"
#include "text/tokenizer/component_json.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

using Piece = SentencePieceModel::Piece;
using Type = SentencePieceModel::Type;

// The library's own bound.
constexpr std::size_t kMaxPieceBytes = 8000;

[[noreturn]] void refuse(std::string what, const std::string& where) {
  throw Error(ErrorKind::data, {.what = std::move(what), .where = where});
}

// Calls read(field) for every field of a message.
template <class Read>
void for_each_field(std::string_view message, const std::string& where, Read read) {
  WireReader reader(message, where);
  while (std::optional<WireField> field = reader.next()) read(*field);
}

std::uint64_t number(const WireField& field, const std::string& where) {
  if (field.kind == WireField::Kind::varint) return field.value;
  refuse(fmt::format("field {} is no integer", field.number), where);
}

std::string_view bytes(const WireField& field, const std::string& where) {
  if (field.kind == WireField::Kind::bytes) return field.bytes;
  refuse(fmt::format("field {} is no string", field.number), where);
}

// A field of 32 bits with a sign is written in 64.
std::int32_t signed_number(const WireField& field, const std::string& where) {
  return static_cast<std::int32_t>(static_cast<std::int64_t>(number(field, where)));
}

Piece read_piece(std::string_view message, const std::string& where) {
  Piece piece;
  for_each_field(message, where, [&](const WireField& field) {
    if (field.number == 1) {
      piece.text = bytes(field, where);
    } else if (field.number == 2) {
      if (field.kind != WireField::Kind::fixed32) refuse("the score is no float", where);
      piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    } else if (field.number == 3) {
      std::uint64_t type = number(field, where);
      if (type < 1 || type > 6) refuse(fmt::format("unknown type of piece {}", type), where);
      piece.type = static_cast<Type>(type);
    }
  });
  return piece;
}

void read_trainer(std::string_view message, SentencePieceModel& model, const std::string& where) {
  for_each_field(message, where, [&](const WireField& field) {
    if (field.number == 3) {
      static constexpr const char* kOthers[] = {"word", "char"};
      std::uint64_t type = number(field, where);
      if (type == 3 || type == 4) {
        throw Error(ErrorKind::data, {.what = "a SentencePiece model of this type is not supported",
                                      .where = where,
                                      .found = kOthers[type - 3],
                                      .expected = "unigram or bpe"});
      }
      if (type != 1 && type != 2) refuse(fmt::format("unknown type of model {}", type), where);
      model.algorithm = static_cast<SentencePieceModel::Algorithm>(type);
    }
    if (field.number == 24) model.treat_whitespace_as_suffix = number(field, where) != 0;
    if (field.number == 35) model.byte_fallback = number(field, where) != 0;
    if (field.number == 41) model.begin_id = signed_number(field, where);
    if (field.number == 42) model.end_id = signed_number(field, where);
    if (field.number == 43) model.padding_id = signed_number(field, where);
    if (field.number == 44) model.unknown_surface = bytes(field, where);
  });
}

void read_normalizer(std::string_view message, SentencePieceModel& model, const std::string& where) {
  for_each_field(message, where, [&](const WireField& field) {
    if (field.number == 2) model.charsmap = bytes(field, where);
    if (field.number == 3) model.add_dummy_prefix = number(field, where) != 0;
    if (field.number == 4) model.remove_extra_whitespaces = number(field, where) != 0;
    if (field.number == 5) model.escape_whitespaces = number(field, where) != 0;
  });
}

// Rewrites decoded text, by rules of its own.
void refuse_denormalizer(std::string_view message, const std::string& where) {
  for_each_field(message, where, [&](const WireField& field) {
    if (field.number == 2 && !bytes(field, where).empty()) refuse("a denormalizer is not supported", where);
  });
}

void check_text(const Piece& piece, std::size_t id, const std::string& where) {
  std::string place = fmt::format("{}, piece {}", where, id);
  if (piece.text.empty()) refuse("the piece is empty", place);
  if (piece.text.size() >= kMaxPieceBytes) {
    refuse(fmt::format("the piece has {} bytes, more than {}", piece.text.size(), kMaxPieceBytes - 1), place);
  }
  if (piece.text.find('\0') != std::string::npos) refuse("the piece has a null byte", place);
  if (find_invalid_utf8(piece.text) != std::string::npos) refuse("the piece is no UTF-8", place);
  if (!std::isfinite(piece.score)) refuse("the score is no number", place);
}

void check_bytes(const SentencePieceModel& model, const std::string& where) {
  std::array<bool, 256> there{};
  for (const Piece& piece : model.pieces) {
    if (piece.type != Type::byte) continue;
    if (!model.byte_fallback) {
      refuse(fmt::format("byte piece {} in a model without byte fallback", piece.text), where);
    }
    int byte = 0;
    while (byte < 256 && piece.text != fmt::format("<0x{:02X}>", byte)) ++byte;
    if (byte == 256) refuse(fmt::format("piece {} stands for no byte", to_line(piece.text)), where);
    there[static_cast<std::size_t>(byte)] = true;
  }
  auto missing = std::find(there.begin(), there.end(), false);
  if (model.byte_fallback && missing != there.end()) {
    refuse(fmt::format("byte piece <0x{:02X}> is missing", missing - there.begin()), where);
  }
}

void check(SentencePieceModel& model, const std::string& where) {
  if (model.pieces.empty()) refuse("no SentencePiece model: it has no pieces", where);
  std::unordered_map<std::string_view, std::size_t> ids;
  std::optional<std::size_t> unknown;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    check_text(piece, id, where);
    auto [known, added] = ids.emplace(piece.text, id);
    if (!added) {
      refuse(fmt::format("piece {} is there twice: ids {} and {}", to_line(piece.text), known->second, id),
             where);
    }
    if (piece.type != Type::unknown) continue;
    if (unknown) refuse(fmt::format("two unknown pieces: ids {} and {}", *unknown, id), where);
    unknown = id;
  }
  if (!unknown) refuse("the model has no unknown piece", where);
  model.unknown = static_cast<std::int32_t>(*unknown);
  check_bytes(model, where);
  if (!model.charsmap.empty()) Charsmap(model.charsmap, where + ", precompiled_charsmap");
}

}  // namespace

bool SentencePieceModel::has(Type type) const {
  return std::any_of(pieces.begin(), pieces.end(), [&](const Piece& piece) { return piece.type == type; });
}

std::string_view SentencePieceModel::text(std::int32_t id) const {
  if (id < 0 || id >= std::ssize(pieces)) return {};
  return pieces[static_cast<std::size_t>(id)].text;
}

SentencePieceModel read_sentencepiece_model(std::string_view file, const std::string& where) {
  SentencePieceModel model;
  for_each_field(file, where, [&](const WireField& field) {
    if (field.number == 1) {
      if (std::ssize(model.pieces) == kMaxVocabulary) {
        refuse(fmt::format("more than {} pieces", kMaxVocabulary), where);
      }
      model.pieces.push_back(read_piece(bytes(field, where), where));
    }
    if (field.number == 2) read_trainer(bytes(field, where), model, where);
    if (field.number == 3) read_normalizer(bytes(field, where), model, where);
    if (field.number == 5) refuse_denormalizer(bytes(field, where), where);
  });
  check(model, where);
  return model;
}

}  // namespace surprisal
