// How blank infilling cuts a document: windows of whole sentences where that leaves at least half of them,
// each between the special tokens that the tokenizer puts around a text. The ones behind it stand where the
// document ends.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "objective/blank_options.h"
#include "objective/blank_spans.h"
#include "objective/objective.h"

namespace surprisal {

struct BlankWindow {
  std::vector<std::int32_t> text;  // special tokens included
  Blank body{};                    // its tokens without them; may be empty
  Blank region{};                  // where spans may lie: not on the last token of a text that goes on
  Blanks sentences{};              // of the body
  std::int64_t next = 0;           // token of the document behind it
};

// The special tokens around a text.
struct BlankSurround {
  std::vector<std::int32_t> before{}, after{};
  // Those that the tokenizer puts there. Throws Error (usage), naming `objective`: a tokenizer that puts
  // nothing there and lacks a [CLS] or an end-of-text token.
  static BlankSurround of(std::string_view objective, const Tokenizer& tokenizer);
};

class BlankWindowCutter {
 public:
  // Throws Error (usage) as BlankSurround::of.
  BlankWindowCutter(std::string_view objective, const BlankInfillingOptions& options,
                    const Tokenizer& tokenizer);

  // The window from token `cursor` on, of at most `length` rows. REQUIRES length > special_rows().
  BlankWindow cut(const TokenCorpus& corpus, const SampleKey& key, std::int64_t cursor,
                  std::int64_t length) const;

  std::int64_t rows_before() const { return std::ssize(surround_.before); }
  std::int64_t special_rows() const { return rows_before() + std::ssize(surround_.after); }

 private:
  std::int64_t length_of_pass(const SampleKey& key, std::int64_t length) const;
  std::int64_t end(const TokenDocument& document, std::int64_t cursor, std::int64_t length) const;

  bool special_tokens_, whole_sentences_;
  double short_sequence_;
  BlankSurround surround_;
};

}  // namespace surprisal
