// Training of a Unigram tokenizer, SentencePiece's kind.
#pragma once

#include "text/train/train_tokenizer.h"

namespace surprisal {

// Ids: <unk> <s> </s>; <0x00> to <0xFF> with byte_fallback; the pieces, the most probable first. Text is put
// in NFKC; words begin with U+2581, and no piece goes on behind one, nor from letters to numbers, ideographs,
// white space or punctuation. The alphabet is the commonest characters that make up 99.95 % of the text; the
// others are <unk>, or bytes.
TrainedTokenizer train_unigram(const TokenizerTraining& training);

}  // namespace surprisal
