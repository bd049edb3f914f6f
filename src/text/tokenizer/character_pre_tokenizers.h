// Pre-tokenizers that look at one character at a time.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"
#include "text/tokenizer/split.h"

namespace surprisal {

// Cuts at the characters of a class.
class CharacterSplit final : public PreTokenizer {
 public:
  using Class = bool (*)(char32_t c, char32_t delimiter);
  CharacterSplit(Class matches, SplitBehavior behavior, char32_t delimiter = 0)
      : matches_(matches), behavior_(behavior), delimiter_(delimiter) {}
  void pre_tokenize(Words& words) const override;

 private:
  Class matches_;
  SplitBehavior behavior_;
  char32_t delimiter_;
};

std::unique_ptr<PreTokenizer> digits(const Json& json, const std::string& where);
std::unique_ptr<PreTokenizer> punctuation(const Json& json, const std::string& where);
std::unique_ptr<PreTokenizer> whitespace_split(const Json& json, const std::string& where);
std::unique_ptr<PreTokenizer> char_delimiter_split(const Json& json, const std::string& where);

// \w+|[^\w\s]+: runs of word characters, and runs of all others but white space.
class Whitespace final : public PreTokenizer {
 public:
  void pre_tokenize(Words& words) const override;
  static std::unique_ptr<PreTokenizer> create(const Json& json, const std::string& where);
};

}  // namespace surprisal
