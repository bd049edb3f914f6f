#include "core/json_record.h"

#include <string>

#include "tests/core/error_matchers.h"

namespace surprisal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What others put into a record for themselves ends no run, as long as it is JSON.
TEST(ParseRecord, PassesOverNumbersAndDepthThatNothingHolds) {
  auto record = [](std::string_view text) { return parse_record(text, "a.jsonl:1"); };
  const std::string plain = R"({"text":"1e999 \" 1e999","n":[1,-2.5e3,{"a":true}],"é":null})";
  EXPECT_EQ(record(plain), Json::parse(plain));
  EXPECT_EQ(record(R"({"a":1e999,"b":[-1.5E+4000 ,2],"text":"x \\","c":9e308})"),
            Json::parse(R"({"a":null,"b":[null,2],"text":"x \\","c":null})"));
  EXPECT_EQ(record("1e999"), nullptr);
  EXPECT_EQ(record("{\"a\":1" + std::string(400, '0') + ".5,\"b\":3}").at("b"), 3);
  const std::string deep = std::string(100, '[') + R"({"k":[1e999,"x"],"k":2})" + std::string(100, ']');
  const Json pruned = record("{\"deep\":" + deep + ",\"text\":\"x\"}");
  EXPECT_EQ(pruned.at("text"), "x");
  const Json* inner = &pruned.at("deep");
  int depth = 1;
  for (; inner->is_array() && !inner->empty(); inner = &inner->front()) ++depth;
  EXPECT_TRUE(inner->is_null());
  EXPECT_EQ(depth, kMaxJsonDepth);
  std::string objects = "1";
  for (int i = 0; i < 1000; ++i) objects = "{\"a\":" + objects + "}";
  EXPECT_TRUE(record(objects).is_object());
  EXPECT_EQ(record(R"({"x":)" + std::string(100000, '[') + std::string(100000, ']') + R"(,"y":1})").at("y"),
            1);
}

TEST(ParseRecord, RefusesWhatIsNoJson) {
  auto record = [](std::string_view text) { return parse_record(text, "a.jsonl:1"); };
  for (std::string_view text :
       {"", "{", "nul", "[1e999,]", "[1e999, 01e999]", "[1e999, 1.e999]", "[1e999, 1e]", "[1e999, -e999]",
        "[1e999-5]", "[1e999 2]", "{\"a\":1e999", "[1e999, +1e999]"}) {
    SCOPED_TRACE(text);
    EXPECT_ERROR(record(text), data, StartsWith("a.jsonl:1, byte "));
  }
  EXPECT_ERROR(record(std::string(100, '[')), data, HasSubstr("a.jsonl:1, byte 100: "));
  EXPECT_ERROR(record(R"({"a":1e999,"a":2})"), data, HasSubstr("byte 11: invalid JSON: duplicate key \"a\""));
}

}  // namespace
}  // namespace surprisal
