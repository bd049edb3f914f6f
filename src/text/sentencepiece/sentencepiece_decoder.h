// Text of pieces, as SentencePiece joins them, but that special tokens stay.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/sentencepiece/model_file.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class SentencePieceDecoder final : public Decoder {
 public:
  explicit SentencePieceDecoder(std::shared_ptr<const SentencePieceModel> model);
  void decode(std::vector<std::string>& pieces) const override;

 private:
  std::string text_of(std::string_view piece, bool first, bool& took_blank) const;

  std::shared_ptr<const SentencePieceModel> model_;
  std::unordered_map<std::string_view, const SentencePieceModel::Piece*> pieces_;
};

}  // namespace surprisal
