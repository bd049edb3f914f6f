// What SentencePiece does to text before it is cut: user-defined pieces stay, other characters become what
// the model's table says, blanks are dropped where they are too many, written as kSpaceSymbol, and put
// before the text.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "text/sentencepiece/model_file.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/charsmap.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class SentencePieceNormalizer final : public Normalizer {
 public:
  explicit SentencePieceNormalizer(std::shared_ptr<const SentencePieceModel> model);
  void normalize(AlignedText& text) const override;

 private:
  // What the text's beginning becomes, and how many bytes of it that is.
  struct Prefix {
    std::string_view becomes;
    std::size_t size = 0;
  };
  Prefix prefix(std::string_view text) const;
  std::size_t skip_blanks(std::string_view text) const;
  void add(std::string_view part, std::uint32_t from, AlignedText& result) const;

  std::shared_ptr<const SentencePieceModel> model_;
  ByteTrie user_defined_;
  Charsmap charsmap_;
  std::string_view blank_;  // how a blank is written
};

}  // namespace surprisal
