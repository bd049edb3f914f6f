// Byte-pair encoding: a word begins as its characters; the pair of neighbours whose merge has the lowest rank
// is joined, the leftmost one first, until no pair has a merge.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/bpe_merges.h"
#include "text/tokenizer/components.h"

namespace surprisal {

class Bpe final : public TokenModel {
 public:
  Bpe(const Json& json, const std::string& where);

  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override;
  void tokenize_bytes(std::string_view word, std::vector<WordToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  static std::unique_ptr<TokenModel> create(const Json& json, const std::string& where);

 private:
  void add_merge(std::string_view left, std::string_view right, std::uint32_t rank, const std::string& where);
  void find_byte_ids();
  void split_characters(std::string_view word, std::vector<WordToken>& tokens) const;
  std::optional<std::int32_t> character_id(std::string_view word, std::size_t begin, std::size_t end) const;
  bool fall_back_to_bytes(std::string_view word, std::size_t begin, std::size_t end,
                          std::vector<WordToken>& tokens) const;

  Vocabulary vocabulary_;
  BpeMerges merges_;
  std::array<std::int32_t, 256> byte_id_{};  // of each byte-level character
  bool takes_bytes_ = false;                 // whether bytes are all that a word's tokens depend on
  // For characters that the vocabulary lacks; without it they are dropped.
  std::optional<std::int32_t> unknown_;
  bool fuse_unknown_ = false;   // neighbours become one
  bool ignore_merges_ = false;  // a word of the vocabulary is a token, whatever the merges say
  std::string prefix_;          // of every spelling but a word's first ("##")
  std::string suffix_;          // of a word's last spelling ("</w>")
  // The tokens <0x00> to <0xFF> of the bytes of a character that the vocabulary lacks; empty: no such tokens.
  std::vector<std::optional<std::int32_t>> byte_tokens_;
};

}  // namespace surprisal
