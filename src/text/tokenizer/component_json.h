// Reading the JSON of a component.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/json.h"

namespace surprisal {

// Ids, and so sizes of vocabularies, lie below this: a bound for files that lie about theirs.
inline constexpr std::int64_t kMaxVocabulary = std::int64_t{1} << 22;

// A key that must be there.
inline bool get_bool(const Json& object, const char* key, const std::string& where) {
  require(object, key, where);
  return get_bool_or(object, key, where, false);
}

// A string of one code point.
char32_t get_character(const Json& object, const char* key, const std::string& where);

// Throws Error (data) on a key that is not among `known`, which blanks separate: an option that is not known
// may change ids.
void check_keys(const Json& object, std::string_view known, const std::string& where);

inline std::int32_t get_id(const Json& object, const char* key, const std::string& where) {
  return static_cast<std::int32_t>(get_int(object, key, where, 0, kMaxVocabulary - 1));
}

}  // namespace surprisal
