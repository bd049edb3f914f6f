#include "core/json.h"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/json_builder.h"

namespace surprisal {
namespace {

std::string describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::null:
      return "null";
    default: {
      std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
      return text.size() <= 64 ? text : "a long string";
    }
  }
}

[[noreturn]] void fail_value(const Json& value, const char* key, const std::string& where,
                             std::string expected) {
  throw Error(ErrorKind::data, {.what = fmt::format("key {} has a wrong value", key),
                                .where = where,
                                .found = describe(value),
                                .expected = std::move(expected)});
}

// The value of `key`, or null if it is absent or null.
const Json* find(const Json& object, const char* key, const std::string& where) {
  if (!object.is_object()) {
    throw Error(ErrorKind::data, {.what = fmt::format("cannot look up key {}", key),
                                  .where = where,
                                  .found = describe(object),
                                  .expected = "an object"});
  }
  auto member = object.find(key);
  return member == object.end() || member->is_null() ? nullptr : &*member;
}

std::int64_t checked_int(const Json& value, const char* key, const std::string& where, std::int64_t min,
                         std::int64_t max) {
  bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() ||
       value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  std::int64_t number = fits ? value.get<std::int64_t>() : 0;
  if (!fits || number < min || number > max) {
    fail_value(value, key, where, fmt::format("an integer in [{}, {}]", min, max));
  }
  return number;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& where) {
  std::optional<JsonProblem> problem;
  Json json = build_json(text, JsonDepth::refused, problem);
  if (problem) fail_json(*problem, where);
  return json;
}

const Json& require(const Json& object, const char* key, const std::string& where) {
  if (object.is_object()) {
    if (auto member = object.find(key); member != object.end()) return *member;
  }
  find(object, key, where);
  throw Error(ErrorKind::data, {.what = fmt::format("key {} is missing", key), .where = where});
}

std::int64_t get_int(const Json& object, const char* key, const std::string& where, std::int64_t min,
                     std::int64_t max) {
  return checked_int(require(object, key, where), key, where, min, max);
}

std::int64_t get_int_or(const Json& object, const char* key, const std::string& where, std::int64_t min,
                        std::int64_t max, std::int64_t fallback) {
  const Json* value = find(object, key, where);
  return value ? checked_int(*value, key, where, min, max) : fallback;
}

double get_number_or(const Json& object, const char* key, const std::string& where, double min, double max,
                     double fallback) {
  const Json* value = find(object, key, where);
  if (!value) return fallback;
  double number = value->is_number() ? value->get<double>() : std::nan("");
  if (!(number >= min && number <= max))
    fail_value(*value, key, where, fmt::format("a number in [{}, {}]", min, max));
  return number;
}

bool get_bool_or(const Json& object, const char* key, const std::string& where, bool fallback) {
  const Json* value = find(object, key, where);
  if (!value) return fallback;
  if (!value->is_boolean()) fail_value(*value, key, where, "true or false");
  return value->get<bool>();
}

std::string get_string(const Json& object, const char* key, const std::string& where) {
  const Json& value = require(object, key, where);
  if (!value.is_string()) fail_value(value, key, where, "a string");
  return value.get<std::string>();
}

std::string get_string_or(const Json& object, const char* key, const std::string& where,
                          std::string fallback) {
  const Json* value = find(object, key, where);
  if (!value) return fallback;
  if (!value->is_string()) fail_value(*value, key, where, "a string");
  return value->get<std::string>();
}

std::string to_line(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace surprisal
