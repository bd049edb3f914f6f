#include "option_table.h"

#include <fmt/format.h>

#include "objective/options.h"
#include "text/corpus/corpus.h"
#include "train/options.h"

namespace surprisal {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

OptionEntry entry_of(const CLI::Option& option) {
  OptionEntry entry;
  entry.name =
      option.get_lnames().empty() ? option.get_name(option.get_positional()) : "--" + option.get_lnames()[0];
  entry.help = option.get_description();
  entry.required = option.get_required();
  entry.default_value = option.get_default_str();
  if (option.get_items_expected_max() == 0) return entry;
  entry.type = option.get_type_name();  // "TEXT", "INT:NONNEGATIVE", "TEXT:{bpe,wordpiece}"
  const std::size_t open = entry.type.find('{'), close = entry.type.rfind('}');
  if (open != std::string::npos && close != std::string::npos) {
    entry.value = ValueKind::choice;
    entry.choices = split(entry.type.substr(open + 1, close - open - 1), ',');
    entry.type = fmt::format("{}", fmt::join(entry.choices, "|"));
  } else if (entry.type.starts_with("TEXT")) {
    const bool names = entry.name == "--objective" || entry.name == "--rule";
    entry.value = names ? ValueKind::text : ValueKind::file;
    entry.type = names ? "text" : "path";
  } else {
    entry.value = ValueKind::number;
    entry.type = "number";
  }
  return entry;
}

OptionEntry entry_of(const FieldHelp& field) {
  OptionEntry entry{.name = "--" + field.key, .help = field.help, .default_value = field.default_value};
  entry.type = field.range.empty() ? field.type : field.type + " " + field.range;
  entry.required = field.default_value.empty();
  if (field.type == "number" || field.type == "integer") {
    entry.value = ValueKind::number;
  } else if (field.type.find('|') != std::string::npos) {
    entry.value = ValueKind::choice;
    entry.choices = split(field.type, '|');
    std::erase(entry.choices, "");
  } else {
    entry.value = field.type == "list" || field.key.ends_with("path") || field.key.ends_with("directory")
                      ? ValueKind::file
                      : ValueKind::text;
  }
  return entry;
}

std::vector<FieldHelp> keys_of(const std::vector<std::string>& path) {
  const std::string verb = fmt::format("{}", fmt::join(path, " "));
  Configuration run;
  CorpusOptions corpus;
  ObjectiveOptions objective;
  if (verb == "train" || verb == "plan")
    return describe_options([&](OptionVisitor& visitor) { run.visit(visitor); });
  return describe_options([&](OptionVisitor& visitor) {
    visitor.table("data", "", [&](OptionVisitor& v) { corpus.visit(v); });
    if (verb != "explain" && verb != "loss") return;
    visitor.table("objective", "", [&](OptionVisitor& v) { objective.visit_tables(v); });
  });
}

void list(const CLI::App& app, const std::vector<std::string>& path, std::vector<VerbEntry>& verbs) {
  VerbEntry entry{.path = path, .help = app.get_description(), .footer = app.get_footer()};
  for (const CLI::Option* option : app.get_options()) {
    if (option != app.get_help_ptr()) entry.options.push_back(entry_of(*option));
  }
  if (app.get_allow_extras() && !path.empty()) {
    for (const FieldHelp& field : keys_of(path)) entry.keys.push_back(entry_of(field));
  }
  const auto below = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* verb : below) entry.verbs.push_back(verb->get_name());
  verbs.push_back(std::move(entry));
  for (const CLI::App* verb : below) {
    std::vector<std::string> longer = path;
    longer.push_back(verb->get_name());
    list(*verb, longer, verbs);
  }
}

}  // namespace

std::string VerbEntry::spelling(const char* separator) const {
  return fmt::format("{}", fmt::join(path, separator));
}

std::vector<VerbEntry> list_verbs(const CLI::App& app) {
  std::vector<VerbEntry> verbs;
  list(app, {}, verbs);
  return verbs;
}

}  // namespace surprisal
