// Decoders that go with no pre-tokenizer or model of their own.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

// "BPEDecoder": the suffix of a word's last token becomes a blank, but at the end.
class BpeDecoder final : public Decoder {
 public:
  explicit BpeDecoder(std::string suffix) : suffix_(std::move(suffix)) {}
  void decode(std::vector<std::string>& pieces) const override;
  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);

 private:
  std::string suffix_;
};

// All pieces become one, for what comes next.
class FuseDecoder final : public Decoder {
 public:
  void decode(std::vector<std::string>& pieces) const override;
  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);
};

// Drops up to `start` and `stop` times a character at the ends of every piece.
class StripDecoder final : public Decoder {
 public:
  StripDecoder(const Json& json, const std::string& where);
  void decode(std::vector<std::string>& pieces) const override;
  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);

 private:
  std::string content_;
  std::int64_t start_, stop_;
};

// A run of pieces <0x41> becomes the text of those bytes; if they are none, U+FFFD for each.
class ByteFallbackDecoder final : public Decoder {
 public:
  void decode(std::vector<std::string>& pieces) const override;
  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);
};

}  // namespace surprisal
