// docs/configuration.md lists every key with its default, in the table of its section, and no other.
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/options.h"

namespace surprisal {
namespace {

using Keys = std::map<std::string, std::string>;  // with their defaults; "required"

Keys keys_of_page() {
  std::ifstream file(std::string(SURPRISAL_TEST_DATA) + "/../docs/configuration.md");
  const std::regex heading(R"(#+ \[([a-z_.]+)\])"),
      row(R"(\| `([a-z_0-9]+)` \| (?:`([^`]*)`|(required)) \|.*)");
  Keys keys;
  std::string line, section;
  for (std::smatch match; std::getline(file, line);) {
    if (std::regex_match(line, match, heading)) {
      section = match[1];
    } else if (std::regex_match(line, match, row)) {
      keys[section + "." + match[1].str()] = match[3].matched ? match[3] : match[2];
    }
  }
  return keys;
}

Keys keys_of_program() {
  Configuration configuration;
  Keys keys;
  for (const FieldHelp& field :
       describe_options([&](OptionVisitor& visitor) { configuration.visit(visitor); })) {
    keys[field.key] = field.default_value.empty() ? "required" : field.default_value;
  }
  return keys;
}

// 5e-4 of the page is 0.0005 of the program.
bool same(const std::string& page, const std::string& program) {
  std::istringstream a(page), b(program);
  double x = 0, y = 0;
  const bool numbers = (a >> x) && (b >> y) && (a >> std::ws).eof() && (b >> std::ws).eof();
  return numbers ? x == y : page == program;
}

TEST(ConfigurationPage, ListsEveryKeyWithItsDefault) {
  const Keys page = keys_of_page(), program = keys_of_program();
  ASSERT_GT(program.size(), 50u);
  for (const auto& [key, value] : program) {
    auto found = page.find(key);
    if (found == page.end()) {
      ADD_FAILURE() << key << " = " << value << " is not on the page";
    } else {
      EXPECT_TRUE(same(found->second, value))
          << key << ": " << found->second << " on the page, not " << value;
    }
  }
  for (const auto& [key, value] : page) EXPECT_TRUE(program.contains(key)) << key << " is no key";
}

}  // namespace
}  // namespace surprisal
