// BERT's normalizer as Hugging Face has it (Google's differs: it drops accents after lower case, and takes
// fewer characters for control).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class BertNormalizer final : public Normalizer {
 public:
  struct Options {
    bool clean_text = true;  // drop control characters, U+0000 and U+FFFD; white space becomes a blank
    bool handle_chinese_chars = true;  // a blank on either side of every Chinese character
    bool strip_accents = true;         // decompose and drop nonspacing marks
    bool lowercase = true;
  };
  explicit BertNormalizer(Options options);
  void normalize(AlignedText& text) const override;

  static std::unique_ptr<Normalizer> create(const Json& json, const std::string& where);

 private:
  static constexpr std::uint8_t kDropped = 0xFF;
  // Rewrites the ASCII at bytes [begin, end) of `text`: most of what comes along.
  void append_ascii(const AlignedText& text, ByteSpan span, AlignedText& result) const;

  Options options_;
  std::array<std::uint8_t, 0x80> ascii_{};  // what becomes of a byte
};

}  // namespace surprisal
