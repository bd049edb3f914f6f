// The vocabulary of a token model: spellings and their ids, one to one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/json.h"

namespace surprisal {

class Vocabulary {
 public:
  // From {"spelling": id, ...}. Throws Error (data) on an id that is no integer in [0, kMaxVocabulary) or
  // given twice.
  Vocabulary(const Json& json, const std::string& where);
  // Spellings by id. Throws Error (data) on one that two ids have, and on too many.
  Vocabulary(std::vector<std::string> spellings, const std::string& where);
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;

  std::optional<std::int32_t> id(std::string_view spelling) const;
  std::string_view spelling(std::int32_t id) const;  // empty for an id that no token has
  bool contains(std::int32_t id) const;

  std::size_t tokens() const { return ids_.size(); }
  std::int32_t size() const {
    return static_cast<std::int32_t>(spellings_.size());
  }  // the largest id plus one

 private:
  struct Hash {
    std::size_t operator()(std::string_view text) const;
  };
  std::vector<std::string> spellings_;                            // by id
  std::unordered_map<std::string_view, std::int32_t, Hash> ids_;  // views of spellings_
};

}  // namespace surprisal
