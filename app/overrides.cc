#include <fmt/format.h>

#include "surprisal/error.h"

#include "verbs.h"

namespace surprisal {
namespace {

bool is_override(std::string_view argument) {
  return argument.starts_with("--") &&
         argument.substr(0, argument.find('=')).find('.') != std::string_view::npos;
}

}  // namespace

std::vector<std::string> join_overrides(std::span<char*> arguments) {
  std::vector<std::string> joined;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    std::string argument = arguments[index];
    bool apart =
        is_override(argument) && argument.find('=') == std::string::npos && index + 1 < arguments.size();
    joined.push_back(apart ? argument + "=" + arguments[++index] : argument);
  }
  return joined;
}

std::vector<Override> parse_overrides(const std::vector<std::string>& arguments) {
  std::vector<Override> overrides;
  for (const std::string& argument : arguments) {
    std::size_t equals = argument.find('=');
    std::string key = argument.substr(0, equals);
    if (!is_override(argument)) {
      throw Error(ErrorKind::usage, {.what = fmt::format("unexpected argument {}", argument),
                                     .expected = "--section.key VALUE",
                                     .fix = "see surprisal --help"});
    }
    if (equals == std::string::npos) {
      throw Error(ErrorKind::usage,
                  {.what = fmt::format("{} has no value", key), .expected = fmt::format("{} VALUE", key)});
    }
    overrides.push_back({key.substr(2), argument.substr(equals + 1)});
  }
  return overrides;
}

}  // namespace surprisal
