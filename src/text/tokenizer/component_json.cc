#include "text/tokenizer/component_json.h"

#include <fmt/format.h>

#include "surprisal/error.h"

#include "text/unicode/unicode.h"

namespace surprisal {

char32_t get_character(const Json& object, const char* key, const std::string& where) {
  std::string text = get_string(object, key, where);
  std::size_t at = 0;
  char32_t c = text.empty() ? 0 : next_code_point(text, at);
  if (text.empty() || at != text.size()) {
    throw Error(ErrorKind::data, {.what = fmt::format("key {} has a wrong value", key),
                                  .where = where,
                                  .found = Json(text).dump(),
                                  .expected = "one character"});
  }
  return c;
}

void check_keys(const Json& object, std::string_view known, const std::string& where) {
  std::string padded = fmt::format(" {} ", known), listed;
  for (const auto& [key, value] : object.items()) {
    if (padded.find(fmt::format(" {} ", key)) != std::string::npos) continue;
    for (char c : known) listed += c == ' ' ? ", " : std::string(1, c);
    throw Error(ErrorKind::data, {.what = fmt::format("unknown key {}", key),
                                  .where = where,
                                  .expected = fmt::format("one of {}", listed)});
  }
}

}  // namespace surprisal
