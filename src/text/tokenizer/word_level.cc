#include "text/tokenizer/word_level.h"

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/tokenizer/component_json.h"

namespace surprisal {

WordLevel::WordLevel(const Json& json, const std::string& where)
    : vocabulary_(require(json, "vocab", where), where + ", vocab"),
      unknown_(vocabulary_.id(get_string(json, "unk_token", where))) {}

void WordLevel::tokenize(std::string_view word, std::vector<WordToken>& tokens) const {
  std::optional<std::int32_t> id = vocabulary_.id(word);
  if (!id) id = unknown_;
  if (!id) {
    throw Error(ErrorKind::data,
                {.what = fmt::format("word {} is not in the vocabulary, which has no unknown token",
                                     Json(std::string(word)).dump())});
  }
  tokens.push_back({*id, 0});
}

std::unique_ptr<TokenModel> WordLevel::create(const Json& json, const std::string& where) {
  return std::make_unique<WordLevel>(json, where);
}

}  // namespace surprisal
