// A document as token ids: texts with their sentences, choices and labelled texts part by part, words as one
// text, pairs as pair_encoder.h has them.
#pragma once

#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "text/corpus/corpus.h"
#include "text/corpus/pair_encoder.h"
#include "text/corpus/token_file.h"

namespace surprisal {

class DocumentEncoder {
 public:
  // What is named must outlive it; `files` are those that documents name by their index.
  DocumentEncoder(const CorpusOptions& options, const Tokenizer& tokenizer,
                  const std::vector<std::string>& files);

  // May be called from several threads at once. Throws Error (data) where a pair or a choice has a part
  // without a token, or a choice not one mask; as PairEncoder does.
  EncodedDocument encode(Document document) const;

 private:
  const CorpusOptions& options_;
  const Tokenizer& tokenizer_;
  const std::vector<std::string>& files_;
  PairEncoder pairs_;
};

}  // namespace surprisal
