#include "core/options.h"

#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/options_given.h"
#include "core/options_text.h"

namespace surprisal {
namespace {

using detail::Given;
using detail::to_toml;

std::string describe(const Given& given) {
  const toml::node* node = given.node;
  if (!node) return to_toml(std::string_view(*given.literal));
  if (const auto* text = node->as_string()) return to_toml(std::string_view(text->get()));
  if (const auto* integer = node->as_integer()) return to_toml(integer->get());
  if (const auto* number = node->as_floating_point()) return to_toml(number->get());
  if (const auto* truth = node->as_boolean()) return to_toml(truth->get());
  return node->is_array() ? "a list" : node->is_table() ? "a table" : "a date or time";
}

std::string absolute_path(const std::string& text) {
  std::filesystem::path path(text);
  if (text.empty()) return text;
  // "link/.." is not always ".", so a path that goes up keeps its spelling.
  for (const auto& part : path) {
    if (part == "..") return std::filesystem::absolute(path).string();
  }
  std::string normal = std::filesystem::absolute(path).lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

// Moves what was given into the fields, each checked against its declaration.
class Assigner : public detail::KeyVisitor {
 public:
  explicit Assigner(const std::map<std::string, Given>& given) : given_(given) {}

  void field(std::string_view name, bool& value, std::string_view, FieldTraits) override {
    const Given* given = find(name);
    if (!given) return;
    const auto* truth = given->node ? given->node->as_boolean() : nullptr;
    if (!truth) fail_type(name, *given, "true or false");
    value = truth->get();
  }

  void field(std::string_view name, std::int64_t& value, IntRange range, std::string_view,
             FieldTraits) override {
    const Given* given = find(name);
    if (!given) return;
    std::string expected = "an integer" + spaced(detail::range_text(range));
    const auto* integer = given->node ? given->node->as_integer() : nullptr;
    if (!integer) fail_type(name, *given, expected, integer_hint(*given));
    std::int64_t found = integer->get();
    if (found != value && (found < range.min || found > range.max)) fail_range(name, *given, expected);
    value = found;
  }

  void field(std::string_view name, double& value, NumberRange range, std::string_view,
             FieldTraits) override {
    const Given* given = find(name);
    if (!given) return;
    std::string expected = "a number" + spaced(detail::range_text(range));
    if (!given->node || !given->node->is_number()) fail_type(name, *given, expected);
    const auto* integer = given->node->as_integer();
    double found = integer ? static_cast<double>(integer->get()) : given->node->as_floating_point()->get();
    bool inside = (range.open_min ? found > range.min : found >= range.min) &&
                  (range.open_max ? found < range.max : found <= range.max);  // false for NaN
    if (found != value && !inside)
      fail_range(name, *given, std::isfinite(found) ? expected : "a finite " + expected.substr(2));
    value = found;
  }

  void field(std::string_view name, std::string& value, const Choices& choices, std::string_view,
             FieldTraits traits) override {
    if (const Given* given = find(name)) {
      std::string found = string_of(name, *given, choices);
      if (traits.required && found.empty()) fail_empty(name, *given);
      if (found != value) check_choice(name, *given, found, choices);
      value = std::move(found);
    }
    if (traits.path) value = absolute_path(value);
  }

  void field(std::string_view name, std::vector<std::string>& value, std::string_view,
             FieldTraits traits) override {
    if (const Given* given = find(name)) {
      value = list_of(name, *given);
      if (traits.required && value.empty()) fail_empty(name, *given);
    }
    if (!traits.path) return;
    for (std::string& path : value) path = absolute_path(path);
  }

 private:
  const Given* find(std::string_view name) const {
    auto given = given_.find(key_of(name));
    return given == given_.end() ? nullptr : &given->second;
  }

  // On the command line a text that is no TOML string is the string itself: quotes around 2024-05 or mlm
  // would be a nuisance.
  std::string string_of(std::string_view name, const Given& given, const Choices& choices) const {
    const auto* text = given.node ? given.node->as_string() : nullptr;
    bool compound = given.node && (given.node->is_array() || given.node->is_table());
    if (!text && (!given.literal || compound)) {
      fail_type(name, given, choices.empty() ? "a string" : choice_text(choices));
    }
    return checked_utf8(name, given, text ? text->get() : *given.literal);
  }

  // One string may stand for a list of it.
  std::vector<std::string> list_of(std::string_view name, const Given& given) const {
    const auto* array = given.node ? given.node->as_array() : nullptr;
    if (!array && given.literal && given.literal->starts_with('['))
      fail_type(name, given, "a list of strings");
    if (!array && !given.literal && !given.node->is_string()) fail_type(name, given, "a list of strings");
    if (!array) return {string_of(name, given, {})};
    std::vector<std::string> items;
    for (const toml::node& item : *array) {
      if (!item.is_string()) {
        fail_type(name, {.owner = given.owner, .node = &item, .literal = {}, .where = given.where},
                  "strings in the list");
      }
      items.push_back(item.as_string()->get());
    }
    return items;
  }

  std::string checked_utf8(std::string_view name, const Given& given, std::string text) const {
    if (detail::is_utf8(text)) return text;
    throw Error(ErrorKind::usage, {.what = key_of(name) + " is not UTF-8", .where = given.where});
  }

  void check_choice(std::string_view name, const Given& given, const std::string& found,
                    const Choices& choices) const {
    if (choices.empty()) return;
    for (const std::string& choice : choices) {
      if (choice == found) return;
    }
    std::string nearest = nearest_name(found, choices);
    fail(name, given, "is none of its choices", choice_text(choices),
         nearest.empty() ? "" : fmt::format("did you mean {}?", to_toml(std::string_view(nearest))));
  }

  static std::string choice_text(const Choices& choices) {
    std::string text;
    for (std::size_t i = 0; i < choices.size(); ++i) {
      text += (i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ") + to_toml(std::string_view(choices[i]));
    }
    return text;
  }

  static std::string spaced(const std::string& range) { return range.empty() ? "" : " " + range; }

  // TOML's 1e3 is a float.
  static std::string integer_hint(const Given& given) {
    const auto* number = given.node ? given.node->as_floating_point() : nullptr;
    double value = number ? number->get() : 0.5;
    bool integral = std::trunc(value) == value && std::abs(value) < 0x1p53;
    return integral ? fmt::format("write {}", static_cast<std::int64_t>(value)) : "";
  }

  [[noreturn]] void fail(std::string_view name, const Given& given, const char* problem, std::string expected,
                         std::string fix) const {
    throw Error(ErrorKind::usage, {.what = fmt::format("{} {}", key_of(name), problem),
                                   .where = given.where,
                                   .found = describe(given),
                                   .expected = std::move(expected),
                                   .fix = std::move(fix)});
  }
  [[noreturn]] void fail_type(std::string_view name, const Given& given, std::string expected,
                              std::string fix = "") const {
    fail(name, given, "has the wrong type", std::move(expected), std::move(fix));
  }
  [[noreturn]] void fail_range(std::string_view name, const Given& given, std::string expected) const {
    fail(name, given, "is out of range", std::move(expected), "");
  }
  [[noreturn]] void fail_empty(std::string_view name, const Given& given) const {
    throw Error(ErrorKind::usage, {.what = key_of(name) + " is empty", .where = given.where});
  }

  const std::map<std::string, Given>& given_;
};

void require_all(const std::vector<std::string>& required, const std::map<std::string, Given>& given,
                 const std::string& where) {
  std::vector<std::string> missing;
  for (const std::string& key : required) {
    if (!given.contains(key)) missing.push_back(key);
  }
  if (missing.empty()) return;
  throw Error(ErrorKind::usage, {.what = fmt::format("missing {}: {}", missing.size() == 1 ? "key" : "keys",
                                                     fmt::join(missing, ", ")),
                                 .where = where,
                                 .fix = fmt::format("set it in the file or as --{} VALUE", missing[0])});
}

}  // namespace

std::vector<std::string> read_options(const std::string& file, const std::vector<Override>& overrides,
                                      const VisitFunction& visit) {
  return read_options_text(file.empty() ? "" : read_file(file), file, overrides, visit);
}

std::vector<std::string> read_options_text(std::string_view toml, const std::string& where,
                                           const std::vector<Override>& overrides,
                                           const VisitFunction& visit) {
  detail::Schema schema = detail::list_names(visit);
  std::map<std::string, Given> given = detail::collect_given(toml, where, overrides, schema);
  Assigner assigner(given);
  visit(assigner);
  require_all(schema.required, given, where);
  std::vector<std::string> keys;
  for (const std::string& field : schema.fields) {
    if (given.contains(field)) keys.push_back(field);
  }
  return keys;
}

}  // namespace surprisal
