// A SentencePiece model within a tokenizer.json. Its components are those that come closest to it in Hugging
// Face `tokenizers`; since they cannot say all of it, the file itself stands under "sentencepiece" of the
// model, where Hugging Face overlooks it, and is what counts here. Of a model with unused pieces, or whose
// blanks end words, no component comes close: then the model is of a type that Hugging Face refuses.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/json.h"
#include "text/sentencepiece/model_file.h"
#include "text/tokenizer/component_table.h"
#include "text/tokenizer/tokenizer_json.h"

namespace surprisal {

inline constexpr const char* kSentencePieceKey = "sentencepiece";

// Whether a tokenizer.json holds a SentencePiece model, and the parts that it makes.
bool holds_sentencepiece(const Json& root);
TokenizerParts sentencepiece_parts(const Json& root, const std::string& where);

// What is not in the file.
struct SentencePieceOptions {
  bool icetk = false;  // GLM-130B's ids around those of the file
  // icetk: false: text has no blank before it, and keeps one that it begins with.
  bool add_dummy_prefix = true;
};

// All but the post-processor and the added tokens. `file` holds the bytes that `model` was read from.
TokenizerComponents sentencepiece_components(const SentencePieceModel& model, std::string_view file,
                                             const SentencePieceOptions& options);

}  // namespace surprisal
