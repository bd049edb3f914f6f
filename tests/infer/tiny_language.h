// A language so small that a model of a few thousand numbers learns it in a few steps, with tokenizers,
// corpora and models for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"
#include "text/corpus/token_corpus.h"

namespace surprisal {

// Documents of 3 to 6 sentences, one a line, with a blank line between documents. Sentences follow a grammar
// of some 30 words, so that the unigram entropy is well above what a model reaches.
std::string tiny_text(int documents, std::uint64_t seed = 1);

// Byte-level BPE of 280 entries, and WordPiece of some 90, both trained on tiny_text.
const Tokenizer& tiny_bpe();
const Tokenizer& tiny_wordpiece();

// tiny_text cut into documents and sentences, and tokenised.
TokenCorpus tiny_corpus(const Tokenizer& tokenizer, int documents, std::uint64_t seed = 1);

// Width 12, 3 heads (of llama and qwen2 over one of keys and values), 2 layers, no dropout.
ModelConfig tiny_config(const char* family, std::int64_t vocabulary, std::int64_t positions);

// With weights large enough that no two logits are near each other.
std::unique_ptr<Transformer> tiny_model(const ModelConfig& config, Mode mode, std::int64_t tokens,
                                        std::uint64_t seed = 7);

}  // namespace surprisal
