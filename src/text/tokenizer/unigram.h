// Unigram language model (Kudo: Subword regularization; ACL 2018): every token has a log-probability, and a
// word is cut into those whose sum is greatest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class Unigram final : public TokenModel {
 public:
  Unigram(const Json& json, const std::string& where);

  // Throws Error (data) on a character that no token has, where the model has no unknown token.
  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  static std::unique_ptr<TokenModel> create(const Json& json, const std::string& where);

 private:
  // The best way to cut the word up to a place: the last token, and where it begins.
  struct Node {
    double score = 0;
    std::uint32_t begin = kNowhere;
    std::int32_t id = 0;
  };
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};

  std::vector<Node> best_path(std::string_view word) const;
  void add(std::string_view word, std::uint32_t begin, std::uint32_t end,
           std::vector<WordToken>& tokens) const;
  bool fall_back_to_bytes(std::string_view part, std::uint32_t begin, std::vector<WordToken>& tokens) const;

  Vocabulary vocabulary_;
  std::vector<double> scores_;  // [tokens]
  ByteTrie trie_;               // to ids
  std::optional<std::int32_t> unknown_;
  double unknown_score_ = 0;
  // The tokens <0x00> to <0xFF>; empty: unknown characters are the unknown token.
  std::vector<std::optional<std::int32_t>> byte_tokens_;
};

}  // namespace surprisal
