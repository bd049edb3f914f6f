// Added tokens and the roles of special ones from files of before tokenizer.json.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/vocabulary.h"

namespace surprisal {

// The files' contents, each an object (empty where there is no such file), and what errors call them.
struct AddedTokenFiles {
  const Json& tokenizer_config;
  const Json& special_tokens_map;
  const Json& added_tokens;
  std::string directory;
};

// {"mask_token": "[MASK]"}; no token: null in the files.
using TokenRoles = std::map<std::string, std::optional<std::string>, std::less<>>;

struct LegacyTokens {
  std::vector<AddedToken> tokens;  // by id
  TokenRoles roles;                // those of the class, as the files change them
};

// Each token has the model's id, or the next free one; `defaults` are the roles of the tokenizer's class.
// Throws Error (data) on a token whose id in the files is another.
LegacyTokens read_legacy_tokens(const AddedTokenFiles& files, TokenRoles defaults,
                                const Vocabulary& vocabulary);

}  // namespace surprisal
