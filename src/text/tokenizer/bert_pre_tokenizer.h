// BERT's pre-tokenizer: words are what stands between white space; every punctuation character is one.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class BertPreTokenizer final : public PreTokenizer {
 public:
  void pre_tokenize(Words& words) const override;

  static std::unique_ptr<PreTokenizer> create(const Json& json, const std::string& where);
};

}  // namespace surprisal
