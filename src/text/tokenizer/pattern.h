// The patterns of Split and Replace: {"String": "..."}, found as it is, or {"Regex": "..."}.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/regex.h"
#include "text/tokenizer/aligned_text.h"
#include "text/tokenizer/scanner.h"

namespace surprisal {

// Immutable: several threads may look for one pattern, each with a PatternMatches of its own.
class TextPattern {
 public:
  // From the object under "pattern". Throws Error (data) on a pattern that is none, or that PCRE2 cannot
  // stand in for Oniguruma on.
  TextPattern(const Json& json, const std::string& where);

  const std::string& text() const { return text_; }
  bool is_regex() const { return is_regex_; }

 private:
  friend class PatternMatches;
  std::string text_;
  bool is_regex_ = false;
  Scanner scanner_ = nullptr;           // of a known pattern
  std::unique_ptr<const Regex> regex_;  // of another one; null for a string, which is looked for as it is
};

class PatternMatches {
 public:
  explicit PatternMatches(const TextPattern& pattern);
  // Replaces `matches` by the matches in `text`, left to right. An empty match counts, except behind another.
  void find(std::string_view text, std::vector<ByteSpan>& matches);

 private:
  const TextPattern& pattern_;
  std::optional<RegexMatches> regex_;
};

}  // namespace surprisal
