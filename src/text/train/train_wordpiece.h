// Training of a WordPiece tokenizer, BERT's kind, as Hugging Face trains it: byte-pair encoding's merges over
// characters, with "##" before every token that does not begin its word.
#pragma once

#include "text/train/train_tokenizer.h"

namespace surprisal {

// Ids: [PAD] [UNK] [CLS] [SEP] [MASK]; the alphabet's characters by code point; those that occur within words
// once more with "##"; the merges' tokens in order.
//
// The alphabet is every character of the text as long as it takes at most 1000 entries (Hugging Face's limit)
// or half of the vocabulary, whichever is more; beyond that, the commonest ones. It grows by the entries that
// merging leaves over where the text runs out of pairs, so that Chinese, whose characters are words of their
// own, fills the vocabulary. Words with other characters, and words of more than 100 characters, are [UNK] to
// the model, and take no part in training.
TrainedTokenizer train_wordpiece(const TokenizerTraining& training);

}  // namespace surprisal
