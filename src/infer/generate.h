// Text from a decoder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "model/transformer.h"

namespace surprisal {

struct GenerateOptions {
  std::int64_t max_tokens = 40;
  double temperature = 0.8;  // 0: always the most probable
  std::int64_t top_k = 40;   // 0: all
  std::uint64_t seed = 0;
  std::uint64_t sample = 0;  // number of this sample: each has its own random numbers
  bool right_to_left =
      false;  // a `reverse` model: ids are drawn from the end of the text and turned round once
};

// The ids that follow the tokenizer's begin of text, without special tokens; ends at the end of text, at
// max_tokens or at the model's positions. Special tokens are never drawn. REQUIRES a tokenizer with begin and
// end of text.
std::vector<std::int32_t> generate(Transformer& model, const Tokenizer& tokenizer,
                                   const GenerateOptions& options);

}  // namespace surprisal
