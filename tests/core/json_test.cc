#include "core/json.h"

#include <limits>
#include <string>

#include "tests/core/error_matchers.h"

namespace surprisal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Json parse(std::string_view text) {
  return parse_json(text, "config.json");
}

TEST(ParseJson, ReadsEveryKindOfValue) {
  Json value =
      parse(R"( {"a": [1, -2, 2.5e-3, true, false, null, "x\u00e9\n\ud83d\ude00", []], "b": {"c": {}}} )");
  EXPECT_EQ(value["a"].size(), 8u);
  EXPECT_EQ(value["a"][0], 1);
  EXPECT_EQ(value["a"][1], -2);
  EXPECT_EQ(value["a"][2], 2.5e-3);
  EXPECT_EQ(value["a"][3], true);
  EXPECT_TRUE(value["a"][5].is_null());
  EXPECT_EQ(value["a"][6], "xé\n😀");
  EXPECT_TRUE(value["a"][7].is_array());
  EXPECT_TRUE(value["b"]["c"].is_object());
  EXPECT_EQ(parse("3"), 3);
  EXPECT_EQ(parse("\"\""), "");
}

TEST(ParseJson, GivesWhatTheLibraryGives) {
  std::string text = R"({"x":[{"y":[[],{},[1,[2,[3]]]],"z":"\"\\"},7],"":{"k":[{"a":1},{"a":2}]},"w":-0.0})";
  EXPECT_EQ(parse(text), Json::parse(text));
}

TEST(ParseJson, KeepsTheExtremesOfNumbers) {
  EXPECT_EQ(parse("18446744073709551615").get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(parse("-9223372036854775808").get<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse("1.7976931348623157e308").get<double>(), std::numeric_limits<double>::max());
  EXPECT_EQ(parse("1e-400").get<double>(), 0);
}

TEST(ParseJson, RefusesDuplicateKeys) {
  EXPECT_ERROR(parse(R"({"a": 1, "a": 2})"), data, "config.json, byte 9: invalid JSON: duplicate key \"a\"");
  EXPECT_ERROR(parse(R"([{"a": {"b": 1, "c": 2, "b": 3}}])"), data,
               HasSubstr("byte 24: invalid JSON: duplicate key \"b\""));
  EXPECT_ERROR(parse(R"({"a\"b":1,"a\u0022b":2})"), data,
               HasSubstr("byte 10: invalid JSON: duplicate key \"a\\\"b\""));
  EXPECT_EQ(parse(R"([{"a": 1}, {"a": 2}])").size(), 2u);  // in different objects
}

TEST(ParseJson, RefusesDeepNesting) {
  std::string deepest = std::string(64, '[') + std::string(64, ']');
  EXPECT_TRUE(parse(deepest).is_array());
  EXPECT_ERROR(parse("[" + deepest + "]"), data,
               "config.json, byte 64: invalid JSON: nested too deep: expected at most 64 levels");
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += "{\"a\":";
  EXPECT_ERROR(parse(objects), data, HasSubstr("nested too deep"));
  EXPECT_ERROR(parse(std::string(10'000'000, '[')), data, HasSubstr("nested too deep"));
}

TEST(ParseJson, RefusesNumbersOutOfRange) {
  EXPECT_ERROR(parse("[1, 1e999]"), data,
               StartsWith("config.json, byte 4: invalid JSON: the number 1e999 does not fit"));
  EXPECT_ERROR(parse("-1e999"), data,
               StartsWith("config.json, byte 0: invalid JSON: the number -1e999 does not fit"));
}

// What transformers writes where a tokenizer has no longest text, and what nobody reads.
TEST(ParseJson, AnIntegerOfMoreThan64BitsIsRefusedByWhoeverReadsIt) {
  for (const char* integer :
       {"1000000000000000019884624838656", "18446744073709551616", "-9223372036854775809"}) {
    const Json json = parse("{\"unread\": 1, \"a\": " + std::string(integer) + "}");
    EXPECT_EQ(get_int(json, "unread", "config.json", 0, 9), 1);
    EXPECT_ERROR(get_int(json, "a", "config.json", INT64_MIN, INT64_MAX), data, HasSubstr("an integer in"));
    EXPECT_EQ(get_number_or(json, "a", "config.json", -1e40, 1e40, 0), std::stod(integer));
  }
}

TEST(ParseJson, RefusesTrailingText) {
  EXPECT_ERROR(parse("{} x"), data, StartsWith("config.json, byte 3: invalid JSON: "));
  EXPECT_ERROR(parse("1 2"), data, StartsWith("config.json, byte 2: invalid JSON: "));
  EXPECT_EQ(parse("{}\n \t"), Json::object());
}

TEST(ParseJson, RefusesTextThatIsNoJson) {
  for (std::string_view text :
       {"",     " ",          "{",       "[1,",    "[1 2]",    "{\"a\" 1}", "{a: 1}", "{'a': 1}",
        "[1,]", "{\"a\":1,}", "nul",     "NaN",    "Infinity", "+1",        "01",     ".5",
        "1.",   "\"",         "\"\\x\"", "\"\t\"", "// c\n1",  "1/**/"}) {
    SCOPED_TRACE(text);
    EXPECT_ERROR(parse(text), data, StartsWith("config.json, byte "));
  }
}

TEST(ParseJson, RefusesBytesThatAreNotUtf8) {
  EXPECT_ERROR(parse("[\"ab\xFF\"]"), data, "config.json, byte 4: invalid JSON: invalid UTF-8 in a string");
  EXPECT_ERROR(parse("\"\xC0\xAF\""), data, HasSubstr("byte 1: "));               // overlong
  EXPECT_ERROR(parse("\"\xED\xA0\x80\""), data, HasSubstr("invalid UTF-8"));      // a surrogate
  EXPECT_ERROR(parse("\"\xF4\x90\x80\x80\""), data, HasSubstr("invalid UTF-8"));  // beyond U+10FFFF
  EXPECT_ERROR(parse("{\"k\xE8\xAF\": 1}"), data, HasSubstr("invalid UTF-8"));    // cut short
  EXPECT_ERROR(parse("\"\\ud800\""), data, StartsWith("config.json, byte "));     // half of a pair
  EXPECT_ERROR(parse("[1, \xFF]"), data, StartsWith("config.json, byte 4: "));
}

TEST(ParseJson, MessagesAreUtf8WhateverTheInput) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::string text : {"\"x", "[", "{\"", "1", ""}) {
      text += static_cast<char>(byte);
      try {
        parse(text);
      } catch (const Error& error) {
        EXPECT_NO_THROW(Json(error.what()).dump()) << byte;
      }
    }
  }
}

const Json kConfig =
    Json::parse(R"({"width": 36, "half": 0.5, "big": 18446744073709551615, "name": "bert", "tied": true,
                                     "none": null, "list": [1, 2]})");

TEST(JsonAccess, GivesTypedValues) {
  EXPECT_EQ(require(kConfig, "list", "c").size(), 2u);
  EXPECT_TRUE(require(kConfig, "none", "c").is_null());
  EXPECT_EQ(get_int(kConfig, "width", "c", 1, 100), 36);
  EXPECT_EQ(get_int_or(kConfig, "width", "c", 1, 100, 7), 36);
  EXPECT_EQ(get_number_or(kConfig, "half", "c", 0, 1, 7), 0.5);
  EXPECT_EQ(get_number_or(kConfig, "width", "c", 0, 100, 7), 36);
  EXPECT_EQ(get_bool_or(kConfig, "tied", "c", false), true);
  EXPECT_EQ(get_string(kConfig, "name", "c"), "bert");
  EXPECT_EQ(get_string_or(kConfig, "name", "c", "gpt2"), "bert");
}

TEST(JsonAccess, FallsBackWhereAbsentOrNull) {
  for (const char* key : {"none", "absent"}) {
    EXPECT_EQ(get_int_or(kConfig, key, "c", 1, 100, -7), -7);
    EXPECT_EQ(get_number_or(kConfig, key, "c", 0, 1, 7.5), 7.5);
    EXPECT_EQ(get_bool_or(kConfig, key, "c", true), true);
    EXPECT_EQ(get_string_or(kConfig, key, "c", "gpt2"), "gpt2");
  }
}

TEST(JsonAccess, RefusesWhatIsMissing) {
  EXPECT_ERROR(require(kConfig, "absent", "config.json"), data, "config.json: key absent is missing");
  EXPECT_ERROR(get_int(kConfig, "absent", "config.json", 0, 1), data, "config.json: key absent is missing");
  EXPECT_ERROR(get_string(kConfig, "absent", "config.json"), data, "config.json: key absent is missing");
  EXPECT_ERROR(get_int(kConfig, "none", "config.json", 0, 1), data, HasSubstr("found null"));
  EXPECT_ERROR(require(Json::array(), "width", "config.json"), data,
               "config.json: cannot look up key width: found an array, expected an object");
}

TEST(JsonAccess, RefusesWrongTypesAndRanges) {
  EXPECT_ERROR(get_int(kConfig, "width", "config.json", 1, 35), data,
               "config.json: key width has a wrong value: found 36, expected an integer in [1, 35]");
  EXPECT_ERROR(get_int(kConfig, "half", "c", 0, 1), data,
               HasSubstr("found 0.5, expected an integer in [0, 1]"));
  EXPECT_ERROR(get_int(kConfig, "big", "c", 0, std::numeric_limits<std::int64_t>::max()), data,
               HasSubstr("found 18446744073709551615"));
  EXPECT_ERROR(get_int_or(kConfig, "name", "c", 0, 1, 0), data, HasSubstr("found \"bert\""));
  EXPECT_ERROR(get_number_or(kConfig, "half", "c", 0, 0.25, 0), data,
               HasSubstr("key half has a wrong value: found 0.5, expected a number in [0, 0.25]"));
  EXPECT_ERROR(get_number_or(kConfig, "tied", "c", 0, 1, 0), data,
               HasSubstr("found true, expected a number"));
  EXPECT_ERROR(get_bool_or(kConfig, "width", "c", true), data, HasSubstr("found 36, expected true or false"));
  EXPECT_ERROR(get_string(kConfig, "list", "c"), data, HasSubstr("found an array, expected a string"));
  EXPECT_ERROR(get_string_or(kConfig, "tied", "c", ""), data, HasSubstr("found true, expected a string"));
}

TEST(ToLine, KeepsOrderAndUtf8AndPrecision) {
  OrderedJson value;
  value["z"] = "语\n\"";
  value["a"] = 0.1;
  value["nats"] = 3.2188758248682006;
  EXPECT_EQ(to_line(value), R"({"z":"语\n\"","a":0.1,"nats":3.2188758248682006})");
}

TEST(ToLine, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(to_line("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
}

}  // namespace
}  // namespace surprisal
