// One file a verb: each adds its subcommand and says what running it does.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "core/options.h"

namespace surprisal {

inline constexpr const char* kAdapterHelp =
    "a LoRA or prefix-tuning adapter of that model, a directory as PEFT writes it";

void add_tokenizer(CLI::App& app);
void add_train(CLI::App& app);
void add_plan(CLI::App& app);
void add_score(CLI::App& app);
void add_generate(CLI::App& app);
void add_loss(CLI::App& app);
void add_explain(CLI::App& app);
void add_import(CLI::App& app);
void add_merge(CLI::App& app);
void add_inspect(CLI::App& app);
void add_doctor(CLI::App& app);
void add_completion(CLI::App& app);

// The arguments with "--section.key VALUE" as the one word "--section.key=VALUE", so that the parser does not
// take VALUE for a file.
std::vector<std::string> join_overrides(std::span<char*> arguments);

// {"--train.max_steps=10", "--run.seed=3"} as overrides. Throws Error (usage) on anything else.
std::vector<Override> parse_overrides(const std::vector<std::string>& arguments);

}  // namespace surprisal
