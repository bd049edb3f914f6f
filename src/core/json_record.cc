#include "core/json_record.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "core/json_builder.h"

namespace surprisal {
namespace {

// Whether this is a number of JSON's grammar.
bool is_number(std::string_view text) {
  auto digits = [&] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  auto skip = [&](char c) {
    const bool there = text.starts_with(c);
    if (there) text.remove_prefix(1);
    return there;
  };
  skip('-');
  const bool zero = text.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (skip('.') && digits() == 0) return false;
  if (skip('e') || skip('E')) {
    if (!skip('+')) skip('-');
    if (digits() == 0) return false;
  }
  return text.empty();
}

// The text with null, and blanks up to the same length, for every number outside strings that no double
// holds: the parser stops at one, whatever its events return.
std::string without_overflows(std::string_view text) {
  constexpr std::string_view kNumber = "+-.0123456789eE", kNull = "null";
  std::string out(text);
  bool in_string = false;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const bool begins_number = !in_string && (c == '-' || (c >= '0' && c <= '9'));
    if (!begins_number) {
      if (in_string && c == '\\') ++at;
      if (c == '"') in_string = !in_string;
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_not_of(kNumber, at), text.size());
    double value = 0;
    const auto read = std::from_chars(text.data() + at, text.data() + end, value);
    if (read.ec == std::errc::result_out_of_range && end - at > kNull.size() &&
        is_number(text.substr(at, end - at))) {
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(at), out.begin() + static_cast<std::ptrdiff_t>(end),
                ' ');
      out.replace(at, kNull.size(), kNull);
    }
    at = end;
  }
  return out;
}

}  // namespace

Json parse_record(std::string_view text, const std::string& where) {
  std::optional<JsonProblem> problem;
  Json json = build_json(text, JsonDepth::pruned, problem);
  if (problem && problem->overflow) json = build_json(without_overflows(text), JsonDepth::pruned, problem);
  if (problem) fail_json(*problem, where);
  return json;
}

}  // namespace surprisal
