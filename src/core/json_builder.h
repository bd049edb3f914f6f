// The parser behind parse_json and parse_record.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"

namespace surprisal {

// What is nested deeper than kMaxJsonDepth: an error, or null.
enum class JsonDepth { refused, pruned };

struct JsonProblem {
  std::string what;
  std::size_t offset = 0;
  std::string expected{};
  bool overflow = false;  // a number that no double holds
};

// What the text holds; where there is a problem with it, nothing that counts.
Json build_json(std::string_view text, JsonDepth depth, std::optional<JsonProblem>& problem);

[[noreturn]] void fail_json(const JsonProblem& problem, const std::string& where);

}  // namespace surprisal
