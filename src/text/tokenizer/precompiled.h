// "Precompiled": the table of a SentencePiece model, applied as Hugging Face does it: to whole graphemes of
// less than six bytes, else to their characters. SentencePiece itself takes the longest entry.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/json.h"
#include "text/tokenizer/charsmap.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class Precompiled final : public Normalizer {
 public:
  explicit Precompiled(Charsmap charsmap) : charsmap_(std::move(charsmap)) {}
  void normalize(AlignedText& text) const override;
  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);

 private:
  Charsmap charsmap_;
};

}  // namespace surprisal
