#include <fmt/format.h>

#include "surprisal/error.h"

#include "verbs.h"

namespace surprisal {

std::vector<Override> parse_overrides(const std::vector<std::string>& arguments) {
  std::vector<Override> overrides;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const std::string& argument = arguments[index];
    std::size_t equals = argument.find('=');
    std::string key = argument.substr(0, equals);
    if (!key.starts_with("--") || key.find('.') == std::string::npos) {
      throw Error(ErrorKind::usage, {.what = fmt::format("unexpected argument {}", argument),
                                     .expected = "--section.key VALUE",
                                     .fix = "see surprisal --help"});
    }
    if (equals != std::string::npos) {
      overrides.push_back({key.substr(2), argument.substr(equals + 1)});
    } else if (index + 1 < arguments.size()) {
      overrides.push_back({key.substr(2), arguments[++index]});
    } else {
      throw Error(ErrorKind::usage,
                  {.what = fmt::format("{} has no value", key), .expected = fmt::format("{} VALUE", key)});
    }
  }
  return overrides;
}

}  // namespace surprisal
