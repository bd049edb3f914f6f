#include "adapt/target_modules.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/regex.h"

namespace surprisal {
namespace {

constexpr const char* kAllLinear = "all-linear";

bool all_linear(const AdapterOptions& options) {
  return options.target_modules == std::vector<std::string>{kAllLinear};
}

// What PEFT takes where nothing is named.
std::vector<std::string> defaults_of(const std::string& family) {
  if (family == "gpt2") return {"c_attn"};
  if (family == "bert" || family == "roberta") return {"query", "value"};
  if (family == "llama" || family == "qwen2") return {"q_proj", "v_proj"};
  return {"query_key_value"};
}

std::string last_of(const std::string& path) {
  return path.substr(path.rfind('.') + 1);
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(' '));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

class Pattern {
 public:
  // Matches a whole path, or, with `end`, its end behind a dot.
  Pattern(const std::string& text, bool end, const std::string& where, ErrorKind kind) try
      : regex_(std::make_shared<Regex>(fmt::format("{}(?:{})$", end ? "^(?:.*\\.)?" : "^", text), where)) {
  } catch (const Error& error) {
    throw Error(kind, error.parts());
  }
  bool matches(const std::string& path) const {
    RegexMatches matches(*regex_);
    matches.restart(path);
    return matches.next().has_value();
  }

 private:
  std::shared_ptr<const Regex> regex_;
};

// "PATTERN = NUMBER" of rank_pattern and alpha_pattern: the first that matches holds.
class NumberPatterns {
 public:
  NumberPatterns(const char* key, const std::vector<std::string>& entries, bool whole,
                 const std::string& where, ErrorKind kind) {
    for (const std::string& entry : entries) {
      const std::optional<NumberPattern> read = read_number_pattern(entry);
      const double value = read ? read->value : 0;
      if (!(value > 0 && value < 1e9) || (whole && value != std::floor(value))) {
        throw Error(kind,
                    {.what = fmt::format("adapter.{} has an entry that is no pattern with a number", key),
                     .where = where,
                     .found = entry,
                     .expected = whole ? "\"PATTERN = RANK\"" : "\"PATTERN = ALPHA\""});
      }
      patterns_.emplace_back(Pattern(read->pattern, true, where, kind), value);
    }
  }
  double of(const std::string& path, double otherwise) const {
    for (const auto& [pattern, value] : patterns_) {
      if (pattern.matches(path)) return value;
    }
    return otherwise;
  }

 private:
  std::vector<std::pair<Pattern, double>> patterns_;
};

// The number of the layer in a path: its first segment that is one.
std::optional<std::int64_t> layer_of(const std::string& path) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    std::int64_t layer = 0;
    const auto [last, error] = std::from_chars(path.data() + begin, path.data() + end, layer);
    if (error == std::errc() && last == path.data() + end) return layer;
    begin = end + 1;
  }
  return std::nullopt;
}

// The last names of all modules, each once, in order.
std::vector<std::string> known_names(const std::vector<LinearModule>& modules) {
  std::vector<std::string> names;
  for (const LinearModule& module : modules) {
    std::string name = last_of(module.path);
    if (module.part) name = last_of(module.path.substr(0, module.path.rfind('.'))) + '.' + name;
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

[[noreturn]] void refuse_target(const std::string& what, const std::string& where, ErrorKind kind,
                                const std::vector<LinearModule>& modules) {
  throw Error(kind, {.what = what,
                     .where = where,
                     .expected = fmt::format("names of {}, or {}", fmt::join(known_names(modules), ", "),
                                             kAllLinear)});
}

class Selection {
 public:
  Selection(const AdapterOptions& options, const ModelConfig& config,
            const std::vector<LinearModule>& modules, const std::string& where, ErrorKind kind)
      : options_(options),
        family_(find_family(config.family, "model")),
        task_(config.task),
        names_(options.target_modules) {
    if (!options.target_pattern.empty()) {
      if (!names_.empty()) {
        throw Error(kind, {.what = "modules are named twice",
                           .where = where,
                           .found = "adapter.target_modules and adapter.target_pattern",
                           .expected = "one of them"});
      }
      pattern_ = std::make_unique<Pattern>(options.target_pattern, false, where, kind);
    } else if (names_.empty()) {
      names_ = defaults_of(config.family);
    }
    for (const std::string& name : names_) {
      const bool known = all_linear(options) || std::ranges::any_of(modules, [&](const LinearModule& module) {
                           return names_module({name}, module.path);
                         });
      if (!known) refuse_target(fmt::format("there is no linear module \"{}\"", name), where, kind, modules);
    }
  }

  bool takes(const LinearModule& module) const {
    if (names_module(options_.exclude_modules, module.path) ||
        names_module_or_holder(options_.modules_to_save, module.path) ||
        is_of_classifier(family_, task_, module.path + ".weight")) {
      return false;
    }
    if (!options_.layers.empty()) {
      const std::optional<std::int64_t> layer = layer_of(module.path);
      if (!layer || std::ranges::find(options_.layers, *layer) == options_.layers.end()) return false;
    }
    if (pattern_) return pattern_->matches(module.path);
    return all_linear(options_) ? !module.part : names_module(names_, module.path);
  }

 private:
  const AdapterOptions& options_;
  const Family& family_;
  Task task_;
  std::vector<std::string> names_;
  std::unique_ptr<Pattern> pattern_;
};

}  // namespace

std::optional<NumberPattern> read_number_pattern(const std::string& entry) {
  const std::size_t equals = entry.rfind('=');
  if (equals == std::string::npos) return std::nullopt;
  NumberPattern read{.pattern = trimmed(entry.substr(0, equals))};
  const std::string number = trimmed(entry.substr(equals + 1));
  const char* last = number.data() + number.size();
  const auto [end, error] = std::from_chars(number.data(), last, read.value);
  if (error != std::errc() || end != last || read.pattern.empty()) return std::nullopt;
  return read;
}

std::vector<TargetModule> find_targets(const AdapterOptions& options, const ModelConfig& config,
                                       const std::string& where, ErrorKind kind) {
  const std::vector<LinearModule> modules = linear_modules(config);
  const Selection selection(options, config, modules, where, kind);
  const NumberPatterns ranks("rank_pattern", options.rank_pattern, true, where, kind),
      alphas("alpha_pattern", options.alpha_pattern, false, where, kind);
  std::vector<TargetModule> targets;
  for (const LinearModule& module : modules) {
    if (!selection.takes(module)) continue;
    const bool twice = module.part && !targets.empty() && !targets.back().module.part &&
                       module.path.starts_with(targets.back().module.path + '.');
    if (twice) {
      refuse_target(fmt::format("the module {} and its part {} are both named", targets.back().module.path,
                                last_of(module.path)),
                    where, kind, modules);
    }
    targets.push_back({module,
                       static_cast<std::int64_t>(ranks.of(module.path, static_cast<double>(options.r))),
                       alphas.of(module.path, options.lora_alpha)});
  }
  if (targets.empty()) refuse_target("no linear module is named", where, kind, modules);
  return targets;
}

std::vector<std::string> portable_names(const AdapterOptions& options, const ModelConfig& config) {
  const std::vector<TargetModule> targets = find_targets(options, config, "adapter", ErrorKind::usage);
  const bool parts =
      std::ranges::any_of(targets, [](const TargetModule& target) { return target.module.part; });
  if (!parts && !all_linear(options)) {
    return options.target_modules.empty() ? defaults_of(config.family) : options.target_modules;
  }
  std::set<std::string> names;
  for (const auto& [module, rank, alpha] : targets) {
    const std::string whole = module.part ? module.path.substr(0, module.path.rfind('.')) : module.path;
    names.insert(parts ? whole : last_of(whole));
  }
  return {names.begin(), names.end()};
}

}  // namespace surprisal
