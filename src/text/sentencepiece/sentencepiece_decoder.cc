#include "text/sentencepiece/sentencepiece_decoder.h"

#include <charconv>
#include <cstddef>
#include <utility>

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

using Type = SentencePieceModel::Type;

char byte_of(std::string_view piece) {  // "<0x41>"
  unsigned value = 0;
  std::from_chars(piece.data() + 3, piece.data() + 5, value, 16);
  return static_cast<char>(value);
}

// Every byte that is part of no character becomes U+FFFD.
void append_bytes(std::string& bytes, std::string& text) {
  std::string_view left = bytes;
  while (!left.empty()) {
    std::size_t valid = find_invalid_utf8(left);
    text += left.substr(0, valid);
    if (valid == left.npos) break;
    append_utf8(kReplacementCharacter, text);
    left.remove_prefix(valid + 1);
  }
  bytes.clear();
}

void replace_blanks(std::string_view piece, std::string& text) {
  for (std::size_t at = 0; at < piece.size();) {
    std::size_t blank = piece.find(kSpaceSymbol, at);
    text += piece.substr(at, blank - at);
    if (blank == piece.npos) return;
    text += ' ';
    at = blank + kSpaceSymbol.size();
  }
}

}  // namespace

SentencePieceDecoder::SentencePieceDecoder(std::shared_ptr<const SentencePieceModel> model)
    : model_(std::move(model)) {
  pieces_.reserve(model_->pieces.size());
  for (const SentencePieceModel::Piece& piece : model_->pieces) pieces_.emplace(piece.text, &piece);
}

// `first`: the blank of the dummy prefix may still come; `took_blank`: this was it.
std::string SentencePieceDecoder::text_of(std::string_view piece, bool first, bool& took_blank) const {
  took_blank = false;
  auto known = pieces_.find(piece);
  if (known == pieces_.end()) return std::string(piece);  // an added token
  Type type = known->second->type;
  if (type == Type::unknown) return model_->unknown_surface;
  if (type == Type::control || type == Type::image) return std::string(piece);
  if (first && (model_->add_dummy_prefix || model_->remove_extra_whitespaces) &&
      piece.starts_with(kSpaceSymbol)) {
    piece.remove_prefix(kSpaceSymbol.size());
    // Where blanks at the beginning are dropped, more than one may follow.
    took_blank = !model_->remove_extra_whitespaces;
  }
  std::string text;
  replace_blanks(piece, text);
  return text;
}

void SentencePieceDecoder::decode(std::vector<std::string>& pieces) const {
  std::string text, bytes;
  bool first = true, took_blank = false;
  for (const std::string& piece : pieces) {
    auto known = pieces_.find(piece);
    if (known != pieces_.end() && known->second->type == Type::byte) {
      bytes += byte_of(piece);
      continue;
    }
    append_bytes(bytes, text);
    if (took_blank || !text.empty()) first = false;
    text += text_of(piece, first, took_blank);
  }
  append_bytes(bytes, text);
  pieces.assign(1, text);
}

}  // namespace surprisal
