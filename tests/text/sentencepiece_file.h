// SentencePiece model files for tests, written field by field.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/sentencepiece/model_file.h"

namespace surprisal {

inline void append_varint(std::uint64_t value, std::string& out) {
  for (; value > 127; value >>= 7) out += static_cast<char>(value | 128);
  out += static_cast<char>(value);
}

inline std::string number_field(std::uint32_t number, std::uint64_t value) {
  std::string field;
  append_varint(number << 3, field);
  append_varint(value, field);
  return field;
}

inline std::string bytes_field(std::uint32_t number, std::string_view bytes) {
  std::string field;
  append_varint(number << 3 | 2, field);
  append_varint(bytes.size(), field);
  return field.append(bytes);
}

inline std::string float_field(std::uint32_t number, float value) {
  std::string field;
  append_varint(number << 3 | 5, field);
  auto bits = std::bit_cast<std::uint32_t>(value);
  for (int shift : {0, 8, 16, 24}) field += static_cast<char>(bits >> shift);
  return field;
}

inline std::string piece_field(std::string_view text, float score, SentencePieceModel::Type type) {
  return bytes_field(
      1, bytes_field(1, text) + float_field(2, score) + number_field(3, static_cast<std::uint64_t>(type)));
}

// A model's file, to be changed by tests before it is written.
struct SentencePieceFile {
  using Type = SentencePieceModel::Type;
  std::vector<SentencePieceModel::Piece> pieces = {
      {"<unk>", 0, Type::unknown}, {"<s>", 0, Type::control}, {"</s>", 0, Type::control}};
  std::string trainer = number_field(3, 1);
  std::string normalizer;

  void add(std::string_view text, float score, Type type = Type::normal) {
    pieces.push_back({std::string(text), score, type});
  }
  std::string bytes() const {
    std::string file;
    for (const auto& piece : pieces) file += piece_field(piece.text, piece.score, piece.type);
    return file + bytes_field(2, trainer) + bytes_field(3, normalizer);
  }
};

}  // namespace surprisal
