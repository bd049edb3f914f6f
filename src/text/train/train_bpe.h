// Training of a byte-level BPE tokenizer, GPT-2's kind.
#pragma once

#include "text/train/train_tokenizer.h"

namespace surprisal {

// Ids: <|endoftext|>, the 256 byte characters by code point, the merges' tokens in order.
TrainedTokenizer train_bpe(const TokenizerTraining& training);

}  // namespace surprisal
