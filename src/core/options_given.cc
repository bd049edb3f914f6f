#include "core/options_given.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/options_text.h"

namespace surprisal::detail {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string leaf_of(const std::string& key) {
  return key.substr(key.rfind('.') + 1);  // npos + 1 is 0
}

std::string parent_of(const std::string& key) {
  std::size_t dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string joined(const std::string& parent, const std::string& leaf) {
  return parent.empty() ? leaf : parent + "." + leaf;
}

class NameLister : public KeyVisitor {
 public:
  void table(std::string_view name, std::string_view help,
             const std::function<void(OptionVisitor&)>& body) override {
    schema_.tables.push_back(key_of(name));
    KeyVisitor::table(name, help, body);
  }
  void field(std::string_view key, bool&, std::string_view, FieldTraits traits) override { add(key, traits); }
  void field(std::string_view key, std::int64_t&, IntRange, std::string_view, FieldTraits traits) override {
    add(key, traits);
  }
  void field(std::string_view key, double&, NumberRange, std::string_view, FieldTraits traits) override {
    add(key, traits);
  }
  void field(std::string_view key, std::string&, const Choices&, std::string_view,
             FieldTraits traits) override {
    add(key, traits);
  }
  void field(std::string_view key, std::vector<std::string>&, std::string_view, FieldTraits traits) override {
    add(key, traits);
  }
  Schema take() { return std::move(schema_); }

 private:
  void add(std::string_view key, FieldTraits traits) {
    schema_.fields.push_back(key_of(key));
    if (traits.required) schema_.required.push_back(key_of(key));
  }
  Schema schema_;
};

// The member of table `parent` that is nearest to `leaf`, in full, or "".
std::string nearest_member(const Schema& schema, const std::string& parent, const std::string& leaf) {
  std::vector<std::string> members;
  for (const auto* names : {&schema.fields, &schema.tables}) {
    for (const std::string& name : *names) {
      if (parent_of(name) == parent) members.push_back(leaf_of(name));
    }
  }
  std::string nearest = nearest_name(leaf, members);
  return nearest.empty() ? "" : joined(parent, nearest);
}

// What a user who wrote `key` may have meant: a slip in the last name, a slip in its table's name, or the
// right name in the wrong table.
std::string nearest_key(const Schema& schema, const std::string& key) {
  std::string parent = parent_of(key), leaf = leaf_of(key);
  bool known_parent = parent.empty() || contains(schema.tables, parent);
  if (!known_parent) parent = nearest_name(parent, schema.tables);
  if (known_parent || !parent.empty()) {
    if (std::string nearest = nearest_member(schema, parent, leaf); !nearest.empty()) return nearest;
  }
  for (const std::string& field : schema.fields) {
    if (leaf_of(field) == leaf) return field;
  }
  for (const std::string& table : schema.tables) {
    if (std::string nearest = nearest_member(schema, table, leaf); !nearest.empty()) return nearest;
  }
  return "";
}

struct Unknown {
  std::string key;
  std::string where;
  std::pair<std::size_t, std::size_t> position;  // line, column
};

// One error names them all, in the order of the file.
[[noreturn]] void fail_unknown(std::vector<Unknown> unknown, const Schema& schema,
                               const char* option_prefix) {
  std::sort(unknown.begin(), unknown.end(),
            [](const Unknown& a, const Unknown& b) { return a.position < b.position; });
  std::vector<std::string> hints;
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    std::string nearest = nearest_key(schema, unknown[i].key);
    if (!nearest.empty()) nearest = fmt::format("did you mean {}{}?", option_prefix, nearest);
    if (i > 0)
      nearest = fmt::format("{}: unknown key {}{}{}", unknown[i].where, unknown[i].key,
                            nearest.empty() ? "" : "; ", nearest);
    if (!nearest.empty()) hints.push_back(nearest);
  }
  throw Error(ErrorKind::usage, {.what = "unknown key " + unknown[0].key,
                                 .where = unknown[0].where,
                                 .fix = fmt::format("{}", fmt::join(hints, "; "))});
}

class Collector {
 public:
  Collector(const Schema& schema, std::string where) : schema_(schema), where_(std::move(where)) {}

  void add_file(std::string_view text) {
    std::shared_ptr<const toml::table> root;
    try {
      root = std::make_shared<const toml::table>(toml::parse(text));
    } catch (const toml::parse_error& error) {
      throw Error(ErrorKind::usage,
                  {.what = std::string(error.description()), .where = located(error.source().begin)});
    }
    add_table(*root, "", root);
    if (!unknown_.empty()) fail_unknown(std::move(unknown_), schema_, "");
  }

  void add_override(const Override& given) {
    std::string where = "--" + given.key;
    if (contains(schema_.tables, given.key)) {
      throw Error(ErrorKind::usage, {.what = given.key + " is a table",
                                     .where = where,
                                     .found = to_toml(std::string_view(given.text)),
                                     .expected = fmt::format("--{}.KEY VALUE", given.key)});
    }
    if (!contains(schema_.fields, given.key)) fail_unknown({{given.key, where, {}}}, schema_, "--");
    given_[given.key] = parse_value(given.text, where);
  }

  std::map<std::string, Given> take() { return std::move(given_); }

 private:
  std::string located(const toml::source_position& at) const {
    return fmt::format("{}:{}:{}", where_, at.line, at.column);
  }

  void add_table(const toml::table& table, const std::string& prefix,
                 const std::shared_ptr<const toml::table>& root) {
    for (auto&& [name, node] : table) {
      std::string key = joined(prefix, std::string(name.str()));
      const toml::source_position& at = name.source().begin;
      if (contains(schema_.tables, key)) {
        if (!node.is_table()) fail_kind(key, at, "a value", fmt::format("a table: [{}]", key));
        add_table(*node.as_table(), key, root);
      } else if (contains(schema_.fields, key)) {
        if (node.is_table() || node.is_array_of_tables())
          fail_kind(key, at, "a table", fmt::format("a value: {} = ...", leaf_of(key)));
        given_[key] = {.owner = root, .node = &node, .literal = {}, .where = located(at)};
      } else {
        unknown_.push_back({key, located(at), {at.line, at.column}});
      }
    }
  }

  [[noreturn]] void fail_kind(const std::string& key, const toml::source_position& at, const char* found,
                              std::string expected) const {
    throw Error(ErrorKind::usage, {.what = key + " has the wrong type",
                                   .where = located(at),
                                   .found = found,
                                   .expected = std::move(expected)});
  }

  static Given parse_value(const std::string& text, const std::string& where) {
    Given given{.owner = nullptr, .node = nullptr, .literal = text, .where = where};
    try {
      auto root = std::make_shared<const toml::table>(toml::parse("value = " + text));
      if (root->size() != 1) return given;  // a line break and more keys
      given.node = root->get("value");
      given.owner = std::move(root);
    } catch (const toml::parse_error&) {
      given.node = nullptr;
    }
    return given;
  }

  const Schema& schema_;
  std::string where_;
  std::map<std::string, Given> given_;
  std::vector<Unknown> unknown_;
};

}  // namespace

Schema list_names(const VisitFunction& visit) {
  NameLister lister;
  visit(lister);
  return lister.take();
}

std::map<std::string, Given> collect_given(std::string_view toml, const std::string& where,
                                           const std::vector<Override>& overrides, const Schema& schema) {
  Collector collector(schema, where);
  collector.add_file(toml);
  for (const Override& given : overrides) collector.add_override(given);
  return collector.take();
}

}  // namespace surprisal::detail
