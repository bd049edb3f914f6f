#include <vector>

#include <fmt/format.h>

#include "core/options.h"
#include "core/options_text.h"

namespace surprisal {
namespace {

using detail::to_toml;

// TOML wants a table's own keys before its sub-tables, whatever the order in which they are visited: one
// section each.
class Writer : public OptionVisitor {
 public:
  void table(std::string_view name, std::string_view,
             const std::function<void(OptionVisitor&)>& body) override {
    std::size_t outer = current_;
    std::string dotted = outer == 0 ? std::string(name) : sections_[outer].name + "." + std::string(name);
    current_ = sections_.size();
    sections_.push_back({dotted, ""});
    body(*this);
    current_ = outer;
  }
  void field(std::string_view key, bool& value, std::string_view, FieldTraits) override {
    add(key, to_toml(value));
  }
  void field(std::string_view key, std::int64_t& value, IntRange, std::string_view, FieldTraits) override {
    add(key, to_toml(value));
  }
  void field(std::string_view key, double& value, NumberRange, std::string_view, FieldTraits) override {
    add(key, to_toml(value));
  }
  void field(std::string_view key, std::string& value, const Choices&, std::string_view,
             FieldTraits) override {
    add(key, to_toml(std::string_view(value)));
  }
  void field(std::string_view key, std::vector<std::string>& value, std::string_view, FieldTraits) override {
    add(key, to_toml(value));
  }

  std::string text() const {
    std::string text;
    for (const Section& section : sections_) {
      if (section.body.empty()) continue;
      if (!text.empty()) text += "\n";
      if (!section.name.empty()) text += "[" + section.name + "]\n";
      text += section.body;
    }
    return text;
  }

 private:
  struct Section {
    std::string name;
    std::string body;
  };
  void add(std::string_view key, const std::string& value) {
    sections_[current_].body += fmt::format("{} = {}\n", key, value);
  }

  std::vector<Section> sections_{{"", ""}};
  std::size_t current_ = 0;
};

class Describer : public detail::KeyVisitor {
 public:
  void field(std::string_view key, bool& value, std::string_view help, FieldTraits traits) override {
    add(key, "true|false", to_toml(value), "", help, traits);
  }
  void field(std::string_view key, std::int64_t& value, IntRange range, std::string_view help,
             FieldTraits traits) override {
    add(key, "integer", to_toml(value), detail::range_text(range), help, traits);
  }
  void field(std::string_view key, double& value, NumberRange range, std::string_view help,
             FieldTraits traits) override {
    add(key, "number", to_toml(value), detail::range_text(range), help, traits);
  }
  void field(std::string_view key, std::string& value, const Choices& choices, std::string_view help,
             FieldTraits traits) override {
    add(key, choices.empty() ? "string" : fmt::format("{}", fmt::join(choices, "|")),
        to_toml(std::string_view(value)), "", help, traits);
  }
  void field(std::string_view key, std::vector<std::string>& value, std::string_view help,
             FieldTraits traits) override {
    add(key, "list", to_toml(value), "", help, traits);
  }

  std::vector<FieldHelp> take() { return std::move(fields_); }

 private:
  void add(std::string_view key, std::string type, std::string value, std::string range,
           std::string_view help, FieldTraits traits) {
    if (traits.internal) return;
    if (range.starts_with("in ")) range.erase(0, 3);
    fields_.push_back({.key = key_of(key),
                       .type = std::move(type),
                       .default_value = traits.required ? "" : std::move(value),
                       .range = std::move(range),
                       .help = std::string(help)});
  }

  std::vector<FieldHelp> fields_;
};

}  // namespace

std::string write_options(const VisitFunction& visit) {
  Writer writer;
  visit(writer);
  return writer.text();
}

std::vector<FieldHelp> describe_options(const VisitFunction& visit) {
  Describer describer;
  visit(describer);
  return describer.take();
}

}  // namespace surprisal
