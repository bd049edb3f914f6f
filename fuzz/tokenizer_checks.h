// What holds of every tokenizer that could be read.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "surprisal/tokenizer.h"

#include "fuzz/hard_text.h"
#include "fuzz/target.h"
#include "text/unicode/utf8.h"

namespace surprisal::fuzz {

inline void check_encoding(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> starts;
  tokenizer.encode(text, ids, &starts);
  expect(ids.size() == starts.size(), "a token without its place");
  expect(std::all_of(ids.begin(), ids.end(),
                     [&](std::int32_t id) { return id >= 0 && id < tokenizer.vocabulary_size(); }),
         "an id outside the vocabulary");
  expect(std::all_of(starts.begin(), starts.end(), [&](std::uint32_t at) { return at <= text.size(); }),
         "a token outside its text");
  expect(find_invalid_utf8(tokenizer.decode(ids)) == std::string::npos, "decoded text that is no UTF-8");
  std::vector<std::int32_t> again;
  tokenizer.encode(text, again);
  expect(again == ids, "ids that depend on whether places are asked for");
}

// Reads the two files, and encodes text with what they make.
inline void check_tokenizer(const std::string& json, const std::string& config, const std::string& tail) {
  const Tokenizer tokenizer = Tokenizer::from_json(json, config, "tokenizer.json");
  check_encoding(tokenizer, hard_text(tail));
  tokenizer.encode_with_special("a");
  for (std::int32_t id = 0; id < std::min(tokenizer.vocabulary_size(), 64); ++id) {
    tokenizer.decode(std::vector{id, id});
  }
  const Tokenizer again =
      Tokenizer::from_json(tokenizer.tokenizer_json(), tokenizer.tokenizer_config_json(), "again");
  expect(again.special().mask == tokenizer.special().mask && again.special().cls == tokenizer.special().cls,
         "a tokenizer whose own files read otherwise");
}

}  // namespace surprisal::fuzz
