// How SentencePiece cuts text that its normalizer wrote: as a whole, for neither of the two knows of words.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "text/sentencepiece/model_file.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/components.h"

namespace surprisal {

// What both have: the vocabulary, and how unknown pieces become tokens.
class SentencePieceTokens : public TokenModel {
 public:
  explicit SentencePieceTokens(std::shared_ptr<const SentencePieceModel> model);
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  bool is_reserved(std::int32_t id) const override { return type(id) == SentencePieceModel::Type::image; }

 protected:
  SentencePieceModel::Type type(std::int32_t id) const {
    return model_->pieces[static_cast<std::size_t>(id)].type;
  }
  // Whether pieces of this type are found in text.
  static bool is_found(SentencePieceModel::Type type);
  // Adds the token of bytes [begin, end) of `word`: an unknown one as its bytes, or as one with the unknown
  // one that ends where it begins.
  void add(std::string_view word, std::uint32_t begin, std::uint32_t end, std::int32_t id,
           std::vector<WordToken>& tokens) const;

  std::shared_ptr<const SentencePieceModel> model_;

 private:
  Vocabulary vocabulary_;
  std::vector<std::int32_t> byte_tokens_;  // empty: without byte fallback
};

// The pieces with the greatest sum of scores. Sums are rounded to float as in the library, so that it chooses
// the same of two whose sums are close.
class SentencePieceUnigram final : public SentencePieceTokens {
 public:
  explicit SentencePieceUnigram(std::shared_ptr<const SentencePieceModel> model);
  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override;

 private:
  struct Node {
    float score = 0;
    std::uint32_t begin = kNowhere;
    std::int32_t id = 0;
  };
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};
  std::vector<Node> best_path(std::string_view word) const;
  float score_of(std::int32_t id, std::size_t size) const;

  ByteTrie trie_;  // to ids
  float lowest_;   // score of a normal piece
};

// Two neighbours that together are a piece become it, those of the highest score first, the leftmost of
// those.
class SentencePieceBpe final : public SentencePieceTokens {
 public:
  explicit SentencePieceBpe(std::shared_ptr<const SentencePieceModel> model);
  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override;
  // Whether no piece goes on behind a blank, so that text cut before its blanks has the same tokens.
  bool keeps_words() const;

 private:
  struct Merging;
  std::optional<std::int32_t> found(std::string_view piece) const;
  void add_parts(Merging& merging, std::uint32_t begin, std::uint32_t end,
                 std::vector<WordToken>& tokens) const;

  ByteTrie user_defined_;
};

// Cuts before every blank that follows something else: for models that keep words.
class SentencePieceWords final : public PreTokenizer {
 public:
  void pre_tokenize(Words& words) const override;
};

}  // namespace surprisal
