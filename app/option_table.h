// Every verb with its options and configuration keys, as CLI11 and the configuration declare them: what
// completion and the man page are made from.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace surprisal {

enum class ValueKind { none, number, text, file, choice };  // none: a flag

struct OptionEntry {
  std::string name;  // "--model", "--train.learning_rate"; of an argument by its place: "FILE"
  std::string help;
  ValueKind value = ValueKind::none;
  std::vector<std::string> choices{};
  std::string type{};           // in words: "number in [0, 1]"
  std::string default_value{};  // empty: none
  bool required = false;

  bool positional() const { return name[0] != '-'; }
};

struct VerbEntry {
  std::vector<std::string> path;  // {"tokenizer", "train"}; empty for the program itself
  std::string help, footer;
  std::vector<OptionEntry> options{};  // those of the command line, --help left out
  std::vector<OptionEntry> keys{};     // of the configuration that this verb takes as options
  std::vector<std::string> verbs{};    // below it

  std::string spelling(const char* separator = " ") const;  // "tokenizer train"
};

// Depth first, the program itself first.
std::vector<VerbEntry> list_verbs(const CLI::App& app);

std::string bash_completion(const std::vector<VerbEntry>& verbs);
std::string zsh_completion(const std::vector<VerbEntry>& verbs);
std::string fish_completion(const std::vector<VerbEntry>& verbs);
std::string man_page(const std::vector<VerbEntry>& verbs);

}  // namespace surprisal
