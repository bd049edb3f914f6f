// WordPiece: the longest token of the vocabulary that begins the word, then the longest continuing token
// ("##ing") that begins the rest, and so on; a word that does not come out even is one unknown token.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class WordPiece final : public TokenModel {
 public:
  WordPiece(const Json& json, const std::string& where);

  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  static std::unique_ptr<TokenModel> create(const Json& json, const std::string& where);

 private:
  Vocabulary vocabulary_;
  ByteTrie initial_, continuing_;  // spellings, the latter without their prefix
  std::int32_t unknown_ = 0;
  std::size_t max_characters_ = 100;  // a longer word is unknown
};

class WordPieceDecoder final : public Decoder {
 public:
  WordPieceDecoder(std::string prefix, bool cleanup) : prefix_(std::move(prefix)), cleanup_(cleanup) {}
  void decode(std::vector<std::string>& pieces) const override;

  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);

 private:
  std::string prefix_;
  bool cleanup_;  // no blank before punctuation and within English contractions
};

}  // namespace surprisal
