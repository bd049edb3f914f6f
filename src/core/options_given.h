// What was given for each option, by file or command line, before it is checked against the option's type.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

#include "core/options.h"

namespace surprisal::detail {

struct Given {
  std::shared_ptr<const toml::table> owner;
  const toml::node* node = nullptr;    // within owner; null where the command line's text is no TOML
  std::optional<std::string> literal;  // the command line's text
  std::string where;                   // "run.toml:14:1", "--train.learning_rate"
};

// The names that there are.
struct Schema {
  std::vector<std::string> fields;    // "train.learning_rate"
  std::vector<std::string> tables;    // "train", "objective.mlm"
  std::vector<std::string> required;  // fields without a default
};
Schema list_names(const VisitFunction& visit);

// The last one given for each field. Throws Error (usage) if the text is no TOML, a name is unknown, or a
// table and a value are taken for each other.
std::map<std::string, Given> collect_given(std::string_view toml, const std::string& where,
                                           const std::vector<Override>& overrides, const Schema& schema);

}  // namespace surprisal::detail
