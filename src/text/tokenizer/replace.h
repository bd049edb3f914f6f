// "Replace": every match of a pattern becomes a given text, in text to be encoded and in decoded pieces.
#pragma once

#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"
#include "text/tokenizer/pattern.h"

namespace surprisal {

class ReplaceNormalizer final : public Normalizer {
 public:
  ReplaceNormalizer(const Json& json, const std::string& where);
  void normalize(AlignedText& text) const override;
  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);

 private:
  TextPattern pattern_;
  std::string content_;  // as it is: no references to groups
};

class ReplaceDecoder final : public Decoder {
 public:
  ReplaceDecoder(const Json& json, const std::string& where);
  void decode(std::vector<std::string>& pieces) const override;
  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);

 private:
  TextPattern pattern_;
  std::string content_;
};

}  // namespace surprisal
