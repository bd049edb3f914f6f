// Which tokens play which role.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "surprisal/tokenizer.h"

#include "text/tokenizer/pipeline.h"

namespace surprisal {

// From the contents of a tokenizer_config.json; from the usual spellings where it is empty or names no token
// at all (as those of gpt2 and bert-base-uncased). Throws Error (data) on a token that the vocabulary lacks.
SpecialTokens find_special_tokens(std::string_view tokenizer_config_json, const TokenizerPipeline& pipeline,
                                  const std::string& where);

// Whether it is one of the tokens that stand for a blank: mask, gmask, smask.
bool is_mask(const SpecialTokens& special, std::int32_t id);

// The roles that a token plays, by name, in the order of the declaration.
std::vector<std::pair<const char*, std::int32_t>> roles_of(const SpecialTokens& special);

}  // namespace surprisal
