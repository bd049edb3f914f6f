// Completion for shells, and the man page, printed from the option table.
#include <memory>

#include <fmt/format.h>

#include "option_table.h"
#include "verbs.h"

namespace surprisal {
namespace {

// Within single quotes of bash and zsh.
std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string fish_quoted(const std::string& text) {
  std::string result = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

std::vector<OptionEntry> all_options(const VerbEntry& verb) {
  std::vector<OptionEntry> options = verb.options;
  options.push_back({.name = "--help", .help = "print help"});
  options.insert(options.end(), verb.keys.begin(), verb.keys.end());
  return options;
}

// The cases of `"$verb $previous"` that complete a value, and return.
std::string bash_values(const VerbEntry& verb) {
  std::string cases;
  for (const OptionEntry& option : all_options(verb)) {
    if (option.positional() || option.value == ValueKind::none) continue;
    const std::string pattern = shell_quoted(verb.spelling("/") + " " + option.name);
    if (option.value == ValueKind::choice) {
      cases += fmt::format("    {}) _surprisal_words {}; return ;;\n", pattern,
                           shell_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    } else if (option.value == ValueKind::file) {
      cases += fmt::format("    {}) _surprisal_files; return ;;\n", pattern);
    } else {
      cases += fmt::format("    {}) return ;;\n", pattern);
    }
  }
  return cases;
}

std::string bash_words(const VerbEntry& verb) {
  std::string names;
  std::vector<std::string> choices;  // of an argument by its place
  for (const OptionEntry& option : all_options(verb)) {
    if (!option.positional()) names += (names.empty() ? "" : " ") + option.name;
    if (option.positional() && option.value == ValueKind::choice) choices = option.choices;
  }
  const std::vector<std::string>& words = verb.verbs.empty() ? choices : verb.verbs;
  return fmt::format("    {}) options={} words={} ;;\n", shell_quoted(verb.spelling("/")),
                     shell_quoted(names), shell_quoted(fmt::format("{}", fmt::join(words, " "))));
}

constexpr const char* kBashHead = R"(# bash completion for surprisal; made by `surprisal completion bash`

_surprisal_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}

_surprisal_files() {
  mapfile -t COMPREPLY < <(compgen -f -- "$current")
  compopt -o filenames 2>/dev/null
}

_surprisal() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  local verb='' options='' words='' index
  COMPREPLY=()
  # Bash takes the = of --key=value for a word.
  if [[ $current == '=' ]]; then
    current=''
  elif [[ $previous == '=' ]]; then
    previous="${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$verb ${COMP_WORDS[index]}" in
)";

constexpr const char* kBashTail = R"(  esac
  if [[ $current == -* ]]; then
    _surprisal_words "$options"
  elif [[ -n $words ]]; then
    _surprisal_words "$words"
  else
    _surprisal_files
  fi
}

complete -F _surprisal surprisal
)";

// What _arguments of zsh takes within [] and between colons.
std::string zsh_escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

std::string zsh_action(const OptionEntry& option) {
  if (option.value == ValueKind::choice) return fmt::format("({})", fmt::join(option.choices, " "));
  return option.value == ValueKind::file ? "_files" : " ";
}

std::string zsh_arguments(const VerbEntry& verb) {
  std::string result;
  for (const OptionEntry& option : all_options(verb)) {
    std::string spec;
    if (option.positional()) {
      spec = fmt::format("*:{}:{}", zsh_escaped(option.name), zsh_action(option));
    } else if (option.value == ValueKind::none) {
      spec = fmt::format("{}[{}]", option.name, zsh_escaped(option.help));
    } else {
      spec = fmt::format("{}=[{}]:{}:{}", option.name, zsh_escaped(option.help), zsh_escaped(option.type),
                         zsh_action(option));
    }
    result += " \\\n    " + shell_quoted(spec);
  }
  return result;
}

std::string zsh_function(const VerbEntry& verb, const std::vector<VerbEntry>& all) {
  const std::string name = verb.path.empty() ? "_surprisal" : "_surprisal_" + verb.spelling("_");
  if (verb.verbs.empty()) return fmt::format("{}() {{\n  _arguments -s{}\n}}\n\n", name, zsh_arguments(verb));
  std::string list, cases;
  for (const VerbEntry& below : all) {
    if (below.path.size() != verb.path.size() + 1) continue;
    if (!std::equal(verb.path.begin(), verb.path.end(), below.path.begin())) continue;
    list += " " + shell_quoted(below.path.back() + ":" + zsh_escaped(below.help));
    cases += fmt::format("      {}) _surprisal_{} ;;\n", below.path.back(), below.spelling("_"));
  }
  return fmt::format(
      "{}() {{\n  local state line\n  local -a verbs\n  verbs=({})\n  _arguments -C{} \\\n    '1: :->verb' "
      "'*:: :->rest'\n  case $state in\n    verb) _describe verb verbs ;;\n    rest)\n      case $words[1] "
      "in\n{}      esac ;;\n  esac\n}}\n\n",
      name, list, zsh_arguments(verb), cases);
}

constexpr const char* kFishHead = R"(# fish completion for surprisal; made by `surprisal completion fish`
function __surprisal_verb
    set -l verb
    for word in (commandline -opc)[2..-1]
        switch "$verb $word"
)";

std::string fish_option(const VerbEntry& verb, const OptionEntry& option) {
  std::string line = fmt::format("complete -c surprisal -n {}",
                                 fish_quoted(fmt::format("__surprisal_at {}", fish_quoted(verb.spelling()))));
  if (option.positional()) {
    if (option.value != ValueKind::choice) return line + " -F\n";
    return line + fmt::format(" -f -a {}\n", fish_quoted(fmt::format("{}", fmt::join(option.choices, " "))));
  }
  line += fmt::format(" -l {} -d {}", option.name.substr(2), fish_quoted(option.help));
  if (option.value == ValueKind::none) return line + "\n";
  if (option.value == ValueKind::file) return line + " -r -F\n";
  std::string choices = fmt::format("{}", fmt::join(option.choices, " "));
  return line + (choices.empty() ? " -x\n" : fmt::format(" -x -a {}\n", fish_quoted(choices)));
}

void completion_verb(const CLI::App& app, const std::string& form) {
  const std::vector<VerbEntry> verbs = list_verbs(app);
  fmt::print("{}", form == "bash"   ? bash_completion(verbs)
                   : form == "zsh"  ? zsh_completion(verbs)
                   : form == "fish" ? fish_completion(verbs)
                                    : man_page(verbs));
}

}  // namespace

std::string bash_completion(const std::vector<VerbEntry>& verbs) {
  std::string walk, values, words;
  for (const VerbEntry& verb : verbs) {
    if (!verb.path.empty()) {
      std::vector<std::string> above(verb.path.begin(), verb.path.end() - 1);
      walk += fmt::format("      {}) verb={} ;;\n",
                          shell_quoted(fmt::format("{} {}", fmt::join(above, "/"), verb.path.back())),
                          shell_quoted(verb.spelling("/")));
    }
    values += bash_values(verb);
    words += bash_words(verb);
  }
  return kBashHead + walk + "    esac\n  done\n  case \"$verb $previous\" in\n" + values +
         "  esac\n  case \"$verb\" in\n" + words + kBashTail;
}

std::string zsh_completion(const std::vector<VerbEntry>& verbs) {
  std::string text = "#compdef surprisal\n# made by `surprisal completion zsh`\n\n";
  for (auto verb = verbs.rbegin(); verb != verbs.rend(); ++verb) text += zsh_function(*verb, verbs);
  return text + "_surprisal \"$@\"\n";
}

std::string fish_completion(const std::vector<VerbEntry>& verbs) {
  std::string walk, rest;
  for (const VerbEntry& verb : verbs) {
    const std::string at = fish_quoted(fmt::format("__surprisal_at {}", fish_quoted(verb.spelling())));
    if (!verb.path.empty()) {
      std::vector<std::string> above(verb.path.begin(), verb.path.end() - 1);
      walk += fmt::format("            case {}\n                set verb {}\n",
                          fish_quoted(fmt::format("{} {}", fmt::join(above, " "), verb.path.back())),
                          fish_quoted(verb.spelling()));
      const std::string above_at = fish_quoted(
          fmt::format("__surprisal_at {}", fish_quoted(fmt::format("{}", fmt::join(above, " ")))));
      rest += fmt::format("complete -c surprisal -n {} -f -a {} -d {}\n", above_at, verb.path.back(),
                          fish_quoted(verb.help));
    }
    for (const OptionEntry& option : all_options(verb)) rest += fish_option(verb, option);
  }
  return kFishHead + walk +
         "        end\n    end\n    echo \"$verb\"\nend\nfunction __surprisal_at\n    test "
         "(__surprisal_verb) = "
         "\"$argv\"\nend\n" +
         rest;
}

void add_completion(CLI::App& app) {
  auto form = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completion", "Print completion for a shell, or the man page");
  verb->add_option("FORM", *form, "bash, zsh, fish or man")
      ->check(CLI::IsMember({"bash", "zsh", "fish", "man"}))
      ->required();
  verb->callback([&app, form] { completion_verb(app, *form); });
  verb->footer(
      "Installed beside the program; for a program that is not, in bash: source <(surprisal completion "
      "bash)");
}

}  // namespace surprisal
