// Which tokens play which role.
#pragma once

#include <string>
#include <string_view>

#include "surprisal/tokenizer.h"

#include "text/tokenizer/pipeline.h"

namespace surprisal {

// From the contents of a tokenizer_config.json; from the usual spellings where it is empty or names no token
// at all (as those of gpt2 and bert-base-uncased). Throws Error (data) on a token that the vocabulary lacks.
SpecialTokens find_special_tokens(std::string_view tokenizer_config_json, const TokenizerPipeline& pipeline,
                                  const std::string& where);

}  // namespace surprisal
