// The parts of a tokenizer.json and a tokenizer_config.json, spelt and ordered as Hugging Face `tokenizers`
// writes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace surprisal {

// An added token that is special: matched as it is written, before anything else.
OrderedJson special_token_json(std::int64_t id, std::string_view content);

// {"spelling": id, ...} in the order of the ids. `tokens` has no spelling twice.
OrderedJson vocabulary_json(const std::vector<std::string>& tokens);

// The components in the file's order; `special_tokens` have the ids 0, 1, 2 ...
struct TokenizerComponents {
  std::vector<std::string> special_tokens;
  OrderedJson normalizer, pre_tokenizer, post_processor, decoder, model;
};
std::string tokenizer_json_text(TokenizerComponents components);

// What both kinds' tokenizer_config.json have, and then `roles`: {"bos_token": "<|endoftext|>"} and the like.
// The class is the one that takes every component from tokenizer.json; classes named after a model put their
// own in place of some.
std::string tokenizer_config_text(const std::vector<std::string>& special_tokens, const OrderedJson& roles);

}  // namespace surprisal
