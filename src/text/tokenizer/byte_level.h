// Byte-level text as GPT-2 has it: every byte is written as one printable character, so that any text has
// tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/components.h"

namespace surprisal {

// The character that stands for a byte, in UTF-8: printable ones for themselves, the other 68 as U+0100 and
// up in order.
std::string_view byte_level_character(std::uint8_t byte);
std::string byte_level_spelling(std::string_view bytes);
// The byte that a character stands for.
std::optional<std::uint8_t> byte_level_byte(char32_t c);

class ByteLevelPreTokenizer final : public PreTokenizer {
 public:
  struct Options {
    bool add_prefix_space = false;  // a blank before every word that begins with none
    bool use_regex = true;  // cut by GPT-2's pattern: contractions, then runs of letters, of numbers, of
                            // anything else, each with the blank before it
  };
  explicit ByteLevelPreTokenizer(Options options) : options_(options) {}
  void pre_tokenize(Words& words) const override;
  void pre_tokenize_to_bytes(Words& words) const override;

  static std::unique_ptr<PreTokenizer> create(const Json& json, const std::string& where);

 private:
  Options options_;
};

class ByteLevelDecoder final : public Decoder {
 public:
  void decode(std::vector<std::string>& pieces) const override;

  static std::unique_ptr<Decoder> create(const Json& json, const std::string& where);
};

}  // namespace surprisal
