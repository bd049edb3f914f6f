// WordLevel: a word is a token, or the unknown token.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class WordLevel final : public TokenModel {
 public:
  WordLevel(const Json& json, const std::string& where);

  // Throws Error (data) on a word that the vocabulary lacks where it has no unknown token either.
  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  static std::unique_ptr<TokenModel> create(const Json& json, const std::string& where);

 private:
  Vocabulary vocabulary_;
  std::optional<std::int32_t> unknown_;
};

}  // namespace surprisal
