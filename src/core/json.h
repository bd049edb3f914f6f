// JSON from files that others made. The reader refuses what the format leaves open and attackers like:
// duplicate keys, nesting deeper than 64, numbers that no double holds, trailing text, bytes that are not
// UTF-8. An integer of more than 64 bits (transformers writes 10^30 for "no limit") is a number of the type
// double, which whoever reads it as an integer refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace surprisal {

using Json = nlohmann::json;                 // read: keys sorted, looked up in O(log n)
using OrderedJson = nlohmann::ordered_json;  // written: keys in the order that they were set

inline constexpr int kMaxJsonDepth = 64;

// `where` names the source in errors ("config.json", "corpus.jsonl:17"). Throws Error (data) with the
// byte offset, counted from 0.
Json parse_json(std::string_view text, const std::string& where);

// Typed access with errors that name `where` and the key. `require` throws if the key is absent; `optional_*`
// returns `fallback` if it is absent or null. A value of the wrong type or range is an Error (data).
const Json& require(const Json& object, const char* key, const std::string& where);
std::int64_t get_int(const Json& object, const char* key, const std::string& where, std::int64_t min,
                     std::int64_t max);
std::int64_t get_int_or(const Json& object, const char* key, const std::string& where, std::int64_t min,
                        std::int64_t max, std::int64_t fallback);
double get_number_or(const Json& object, const char* key, const std::string& where, double min, double max,
                     double fallback);
bool get_bool_or(const Json& object, const char* key, const std::string& where, bool fallback);
std::string get_string(const Json& object, const char* key, const std::string& where);
std::string get_string_or(const Json& object, const char* key, const std::string& where,
                          std::string fallback);

// One line, non-ASCII kept as UTF-8, bytes that are no UTF-8 as U+FFFD.
std::string to_line(const OrderedJson& value);

}  // namespace surprisal
