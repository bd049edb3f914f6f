// Tokens that are found in the text itself, before it is cut into words: special tokens, and others that were
// added to a vocabulary after its training.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/json.h"
#include "text/tokenizer/byte_trie.h"
#include "text/tokenizer/components.h"

namespace surprisal {

struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;  // not where a word character stands beside it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and behind it
  bool normalized = false;   // found in the normalized text, by its own normalized spelling
  bool special = false;
  std::string spelling;  // what is looked for, and what decoding gives: `content`, normalized if `normalized`
};

// What the spelling of a special token in a text is.
enum class SpecialSpelling { token, text };

class AddedTokens {
 public:
  // From "added_tokens" of a tokenizer.json. Throws Error (data) on a malformed one, and where an id is not
  // the one that Hugging Face gives the token: the model's own, or the next free one.
  AddedTokens(const Json& root, const Vocabulary& vocabulary, const Normalizer* normalizer,
              const std::string& where);

  // A part of a text: an added token, or what stands between two.
  struct Part {
    ByteSpan span;
    std::optional<std::int32_t> id;
  };
  // Leftmost first, the longest of those that begin there. `text` is valid UTF-8.
  std::vector<Part> find_in_raw(std::string_view text, SpecialSpelling special) const {
    return find(text, raw_, special);
  }
  std::vector<Part> find_in_normalized(std::string_view text, SpecialSpelling special) const {
    return find(text, normalized_, special);
  }

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  const AddedToken* token(std::int32_t id) const;
  std::optional<std::int32_t> id(std::string_view content) const;

 private:
  // The spellings of one pass. Most text has none of their first bytes for long stretches.
  struct Matcher {
    ByteTrie trie;  // to index in tokens_
    bool begins[256] = {};
    void add(std::string_view spelling, std::size_t index);
  };

  void read(const Json& list, const Vocabulary& vocabulary, const std::string& where);
  std::vector<Part> find(std::string_view text, const Matcher& matcher, SpecialSpelling special) const;

  std::vector<AddedToken> tokens_;
  std::unordered_map<std::string, std::size_t> by_content_;
  std::unordered_map<std::int32_t, std::size_t> by_id_;
  Matcher raw_, normalized_;
};

}  // namespace surprisal
