// Pre-tokenizers that cut at what matches: "Split" at a pattern, others at classes of characters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/components.h"
#include "text/tokenizer/pattern.h"

namespace surprisal {

// What becomes of a match.
enum class SplitBehavior {
  removed,
  isolated,              // a word
  merged_with_previous,  // the end of the word before, if that is no match
  merged_with_next,      // the beginning of the word behind, if that is no match
  contiguous,            // a word with the matches that touch it
};

SplitBehavior get_split_behavior(const Json& json, const char* key, const std::string& where);

// Adds the words of [0, size), with `offset` added to their bounds. `matches` ascend and do not overlap;
// `invert`: what is between them counts as matches, and they as what is between.
void split_at(const std::vector<ByteSpan>& matches, std::uint32_t size, SplitBehavior behavior, bool invert,
              std::uint32_t offset, std::vector<ByteSpan>& words);

class Split final : public PreTokenizer {
 public:
  Split(const Json& json, const std::string& where);
  void pre_tokenize(Words& words) const override;
  static std::unique_ptr<PreTokenizer> create(const Json& json, const std::string& where);

 private:
  TextPattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

}  // namespace surprisal
