#include "text/sentencepiece/sentencepiece_normalizer.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "text/unicode/unicode.h"

namespace surprisal {

SentencePieceNormalizer::SentencePieceNormalizer(std::shared_ptr<const SentencePieceModel> model)
    : model_(std::move(model)), blank_(model_->escape_whitespaces ? kSpaceSymbol : " ") {
  for (const SentencePieceModel::Piece& piece : model_->pieces) {
    if (piece.type == SentencePieceModel::Type::user_defined) user_defined_.add(piece.text, 0);
  }
  if (!model_->charsmap.empty()) charsmap_ = Charsmap(model_->charsmap, "precompiled_charsmap");
}

SentencePieceNormalizer::Prefix SentencePieceNormalizer::prefix(std::string_view text) const {
  if (std::optional<ByteTrie::Match> symbol = user_defined_.longest_prefix(text)) {
    return {text.substr(0, symbol->size), symbol->size};
  }
  if (std::optional<Charsmap::Match> match = charsmap_.longest_prefix(text)) {
    return {match->replacement, match->size};
  }
  std::size_t end = 0;
  next_code_point(text, end);
  return {text.substr(0, end), end};
}

// Bytes of the text that become single blanks at its beginning.
std::size_t SentencePieceNormalizer::skip_blanks(std::string_view text) const {
  std::size_t at = 0;
  while (at < text.size()) {
    Prefix next = prefix(text.substr(at));
    if (next.becomes != " ") break;
    at += next.size;
  }
  return at;
}

void SentencePieceNormalizer::add(std::string_view part, std::uint32_t from, AlignedText& result) const {
  for (std::size_t at = 0; at < part.size();) {
    std::size_t blank = part.find(' ', at);
    result.append(part.substr(at, blank - at), from);
    if (blank == part.npos) return;
    result.append(blank_, from);
    at = blank + 1;
  }
}

void SentencePieceNormalizer::normalize(AlignedText& text) const {
  bool remove = model_->remove_extra_whitespaces, affix = model_->add_dummy_prefix;
  std::string_view input = text.text;
  AlignedText result = text.successor();
  bool bare_front = remove && !model_->keeps_first_blank;
  std::size_t at = bare_front ? skip_blanks(input) : 0;
  if (at == input.size()) {
    text = std::move(result);
    return;
  }
  if (affix && !model_->treat_whitespace_as_suffix) result.append(blank_, text.origin[at]);
  bool after_blank = bare_front;
  std::uint32_t last = text.origin[input.size() - 1];
  while (at < input.size()) {
    Prefix next = prefix(input.substr(at));
    while (after_blank && next.becomes.starts_with(' ')) next.becomes.remove_prefix(1);
    add(next.becomes, text.origin[at], result);
    if (!next.becomes.empty()) after_blank = remove && next.becomes.ends_with(' ');
    at += next.size;
  }
  while (remove && result.text.ends_with(blank_)) {
    std::size_t size = result.text.size() - blank_.size();
    result.text.resize(size);
    result.origin.resize(size);
  }
  if (affix && model_->treat_whitespace_as_suffix) result.append(blank_, last);
  text = std::move(result);
}

}  // namespace surprisal
