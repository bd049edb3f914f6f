// The JSON that every other reader of JSON stands on (core/json.h).
#include "core/json.h"

#include "fuzz/target.h"

namespace surprisal::fuzz {

void read(std::string_view input) {
  const Json value = parse_json(input, "input.json");
  const std::string written = value.dump();
  expect(parse_json(written, "written.json") == value, "JSON that reads back otherwise");
}

std::vector<std::string> seeds() {
  return {R"({"a":[1,-2.5e-3,18446744073709551615,-9223372036854775808],"b":{"c":null,"d":[true,false,{}]}})",
          R"(["\u00e9\ud83d\ude00\n\"\\\/", "\u0000", "é", [], {}])", R"( "text" )",
          std::string(64, '[') + std::string(64, ']')};
}

}  // namespace surprisal::fuzz
