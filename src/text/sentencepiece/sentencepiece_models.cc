#include "text/sentencepiece/sentencepiece_models.h"

#include <algorithm>
#include <limits>
#include <string>

#include <fmt/format.h>

#include "text/unicode/unicode.h"

namespace surprisal {
namespace {

using Type = SentencePieceModel::Type;
using Piece = SentencePieceModel::Piece;

// What an unknown character costs more than the rarest piece.
constexpr float kUnknownPenalty = 10.0f;
// What a user-defined piece scores for every byte behind its first one: more than any other, and the longer
// one more than what it is made of. (Measured on 0.2.3; before 0.2, a piece scored -0.1 whatever its length.)
constexpr double kUserDefinedBonus = 0.1;

std::vector<std::string> spellings(const SentencePieceModel& model) {
  std::vector<std::string> result;
  result.reserve(model.pieces.size());
  for (const Piece& piece : model.pieces) result.push_back(piece.text);
  return result;
}

}  // namespace

SentencePieceTokens::SentencePieceTokens(std::shared_ptr<const SentencePieceModel> model)
    : model_(std::move(model)), vocabulary_(spellings(*model_), "pieces") {
  for (int byte = 0; model_->byte_fallback && byte < 256; ++byte) {
    byte_tokens_.push_back(vocabulary_.id(fmt::format("<0x{:02X}>", byte)).value_or(model_->unknown));
  }
}

bool SentencePieceTokens::is_found(Type type) {
  return type == Type::normal || type == Type::user_defined || type == Type::unused;
}

void SentencePieceTokens::add(std::string_view word, std::uint32_t begin, std::uint32_t end, std::int32_t id,
                              std::vector<WordToken>& tokens) const {
  if (id != model_->unknown) {
    tokens.push_back({id, begin});
  } else if (!byte_tokens_.empty()) {
    for (char byte : word.substr(begin, end - begin)) {
      tokens.push_back({byte_tokens_[static_cast<unsigned char>(byte)], begin});
    }
  } else if (begin == 0 || tokens.empty() || tokens.back().id != model_->unknown) {
    tokens.push_back({id, begin});
  }
}

SentencePieceUnigram::SentencePieceUnigram(std::shared_ptr<const SentencePieceModel> model)
    : SentencePieceTokens(std::move(model)), lowest_(std::numeric_limits<float>::max()) {
  std::int32_t id = 0;
  for (const Piece& piece : model_->pieces) {
    if (piece.type == Type::normal) lowest_ = std::min(lowest_, piece.score);
    if (piece.type == Type::normal || piece.type == Type::user_defined) trie_.add(piece.text, id);
    ++id;
  }
}

float SentencePieceUnigram::score_of(std::int32_t id, std::size_t size) const {
  const Piece& piece = model_->pieces[static_cast<std::size_t>(id)];
  if (piece.type != Type::user_defined) return piece.score;
  return static_cast<float>(static_cast<double>(size) * kUserDefinedBonus - kUserDefinedBonus);
}

std::vector<SentencePieceUnigram::Node> SentencePieceUnigram::best_path(std::string_view word) const {
  std::vector<Node> best(word.size() + 1);
  for (std::size_t begin = 0; begin < word.size();) {
    std::size_t character = begin;
    next_code_point(word, character);
    float before = best[begin].score;
    // Of equal sums the one whose last piece begins first.
    auto consider = [&](std::size_t end, std::int32_t id, float score) {
      Node& node = best[end];
      if (node.begin == kNowhere || score + before > node.score) {
        node = {score + before, static_cast<std::uint32_t>(begin), id};
      }
    };
    bool known = false;
    trie_.for_each_prefix(word.substr(begin), [&](std::size_t size, std::int32_t id) {
      known |= begin + size == character;
      consider(begin + size, id, score_of(id, size));
    });
    if (!known) consider(character, model_->unknown, lowest_ - kUnknownPenalty);
    begin = character;
  }
  return best;
}

void SentencePieceUnigram::tokenize(std::string_view word, std::vector<WordToken>& tokens) const {
  std::vector<Node> best = best_path(word);
  std::vector<std::uint32_t> ends;  // of the pieces, from the last one on
  for (auto end = static_cast<std::uint32_t>(word.size()); end > 0; end = best[end].begin)
    ends.push_back(end);
  for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
    add(word, best[*end].begin, *end, best[*end].id, tokens);
  }
}

SentencePieceBpe::SentencePieceBpe(std::shared_ptr<const SentencePieceModel> model)
    : SentencePieceTokens(std::move(model)) {
  for (const Piece& piece : model_->pieces) {
    if (piece.type == Type::user_defined) user_defined_.add(piece.text, 0);
  }
}

bool SentencePieceBpe::keeps_words() const {
  // What an unused piece is made of depends on the whole text; an unknown blank joins what stands around it.
  if (model_->has(Type::unused) || !found(kSpaceSymbol)) return false;
  auto goes_on = [](const Piece& piece) {
    if (!is_found(piece.type)) return false;
    std::size_t word = 0;
    while (std::string_view(piece.text).substr(word).starts_with(kSpaceSymbol)) word += kSpaceSymbol.size();
    return piece.text.find(kSpaceSymbol, word) != std::string::npos;
  };
  return std::none_of(model_->pieces.begin(), model_->pieces.end(), goes_on);
}

std::optional<std::int32_t> SentencePieceBpe::found(std::string_view piece) const {
  std::optional<std::int32_t> id = vocabulary().id(piece);
  return id && is_found(type(*id)) ? id : std::nullopt;
}

}  // namespace surprisal
