// Byte-pair encoding: a word begins as its characters; the pair of neighbours whose merge has the lowest rank
// is joined, the leftmost one first, until no pair has a merge.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/components.h"
#include "text/tokenizer/pair_map.h"

namespace surprisal {

class Bpe final : public TokenModel {
 public:
  Bpe(const Json& json, const std::string& where);

  void tokenize(std::string_view word, std::vector<WordToken>& tokens) const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }

  static std::unique_ptr<TokenModel> create(const Json& json, const std::string& where);

 private:
  struct Merge {
    std::uint32_t rank = 0;
    std::int32_t id = 0;
  };

  void add_merge(std::string_view left, std::string_view right, std::uint32_t rank, const std::string& where);
  const Merge* merge_of(std::int32_t left, std::int32_t right) const {
    return merges_.find(static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(right));
  }
  void split_characters(std::string_view word, std::vector<WordToken>& tokens) const;
  void merge_short(std::vector<WordToken>& tokens, std::size_t first) const;
  void merge_long(std::vector<WordToken>& tokens, std::size_t first) const;

  Vocabulary vocabulary_;
  PairMap<Merge> merges_;
  std::optional<std::int32_t>
      unknown_;                 // for characters that the vocabulary lacks; without it they are dropped
  bool fuse_unknown_ = false;   // neighbours become one
  bool ignore_merges_ = false;  // a word of the vocabulary is a token, whatever the merges say
};

}  // namespace surprisal
