// Cuts words where a piece of a Unigram model may not go on.
#pragma once

#include "text/tokenizer/components.h"
#include "text/unicode/unicode.h"

namespace surprisal {

// Between letters, ideographs and kana, numbers, white space and everything else; marks go with what stands
// before them, and the blank that begins a word (U+2581) with what stands behind it.
class ScriptRuns final : public PreTokenizer {
 public:
  ScriptRuns();
  void pre_tokenize(Words& words) const override;

 private:
  CodePointSet marks_;
};

}  // namespace surprisal
