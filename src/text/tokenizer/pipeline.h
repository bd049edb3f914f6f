// One tokenizer.json at work: added tokens are found, what stands between them is normalized, cut into words,
// and every word into tokens; and back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/component_table.h"
#include "text/tokenizer/components.h"
#include "text/tokenizer/word_cache.h"

namespace surprisal {

class TokenizerPipeline {
 public:
  // From a parsed tokenizer.json. Its truncation and padding are not applied: they belong to a use, not to a
  // tokenizer.
  TokenizerPipeline(const Json& root, const std::string& where);

  // As in Tokenizer.
  void encode(std::string_view text, std::vector<std::int32_t>& ids, std::vector<std::uint32_t>* starts,
              SpecialSpelling special = SpecialSpelling::token) const;
  std::string decode(std::span<const std::int32_t> ids) const;

  std::int32_t vocabulary_size() const { return size_; }
  std::optional<std::int32_t> id(std::string_view token) const;
  std::string_view token(std::int32_t id) const;
  bool is_special(std::int32_t id) const;
  const SequenceTemplates& templates() const { return templates_; }

 private:
  struct Output;
  void encode_between(AlignedText text, SpecialSpelling special, Output& output) const;
  void encode_words(AlignedText text, Output& output) const;

  TokenizerParts parts_;
  SequenceTemplates templates_;
  AddedTokens added_;
  std::int32_t size_ = 0;
  bool needs_origins_ = false;  // even where the caller asks for none
  mutable WordCachePool caches_;
};

}  // namespace surprisal
