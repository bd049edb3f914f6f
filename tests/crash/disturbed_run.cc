#include "tests/crash/disturbed_run.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "model/transformer.h"
#include "store/manifest.h"
#include "store/model_directory.h"
#include "tests/infer/tiny_language.h"
#include "tests/train/tiny_run.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string toml(const std::string& objective) {
  const bool decoder =
      objective.find("causal") != std::string::npos || objective.find("reverse") != std::string::npos;
  const bool glm = objective.find("blank_infilling") != std::string::npos;
  const std::string tokenizer = glm ? "glm" : decoder ? "bpe" : "wordpiece";
  const std::string family = glm ? "glm" : decoder ? "gpt2" : "bert";
  return "[run]\ndirectory = \"whole/run\"\n[data]\ntrain = [\"train.txt\"]\nvalidation = [\"text.txt\"]\n"
         "sequence_length = 16\n[tokenizer]\npath = \"" +
         tokenizer + "\"\n[objective]\ntrain = \"" + objective + "\"\n[model]\nfamily = \"" + family +
         "\"\nhidden_size = 16\nnum_hidden_layers = 1\nnum_attention_heads = 2\n"
         "[train]\nmax_steps = 12\ntokens_per_step = 64\nmicro_batch_tokens = 32\nlearning_rate = 1e-2\n"
         "eval_steps = 4\nsave_steps = 3\nthreads = 1\n";
}

}  // namespace

bool thorough() {
  const char* value = std::getenv("SURPRISAL_CRASH");
  return value && std::string(value) == "thorough";
}

DisturbedRuns::DisturbedRuns(const std::string& objective, std::vector<std::string> more)
    : more_(std::move(more)) {
  place_.write("train.txt", tiny_text(24, 5));
  place_.write("long.txt", tiny_text(2000, 5));
  place_.write("run.toml", toml(objective));
  Outcome outcome = disturb("whole", {});
  if (outcome.code != 0) throw std::runtime_error("the undisturbed run failed: " + outcome.err);
}

std::vector<std::string> DisturbedRuns::arguments(const std::string& name,
                                                  const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{"train", "run.toml", "--run.directory", name + "/run"};
  arguments.insert(arguments.end(), more_.begin(), more_.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> DisturbedRuns::shimmed(const std::string& name,
                                                const Disturbance& disturbance) const {
  const char* options = std::getenv("ASAN_OPTIONS");
  // The shim stands before the sanitizer's library, which is all right: it passes nothing on to it.
  std::vector<std::string> variables{
      "LD_PRELOAD=" SURPRISAL_SHIM,
      "ASAN_OPTIONS=" + (options ? std::string(options) + ":" : "") + "verify_asan_link_order=0",
      "SURPRISAL_SHIM_DIRECTORY=" + fs::canonical(place_.path()).string() + "/" + name,
      "SURPRISAL_SHIM_LOG=" + log(name).string(),
      "SURPRISAL_SHIM_ACTION=" + disturbance.action,
      "SURPRISAL_SHIM_AT=" + std::to_string(disturbance.at)};
  if (disturbance.always) variables.push_back("SURPRISAL_SHIM_ALWAYS=1");
  if (disturbance.no_exchange) variables.push_back("SURPRISAL_SHIM_NO_EXCHANGE=1");
  return variables;
}

Outcome DisturbedRuns::train(const std::string& name, const std::vector<std::string>& more,
                             const std::vector<std::string>& variables) const {
  fs::create_directories(place_ / name);
  return place_.run_with(variables, arguments(name, more));
}

Outcome DisturbedRuns::disturb(const std::string& name, const Disturbance& disturbance,
                               const std::vector<std::string>& more) const {
  fs::remove(log(name));
  return train(name, more, shimmed(name, disturbance));
}

std::vector<Call> DisturbedRuns::calls(const std::string& name) const {
  std::istringstream lines(read_file(log(name)));
  std::vector<Call> calls;
  for (Call call; lines >> call.number >> call.name >> call.bytes;) {
    lines.get();
    std::getline(lines, call.paths);
    calls.push_back(call);
  }
  return calls;
}

void DisturbedRuns::copy(const std::string& from, const std::string& to) const {
  fs::copy(place_ / from, place_ / to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
}

void DisturbedRuns::remove(const std::string& name) const {
  fs::remove_all(place_ / name);
  fs::remove(log(name));
}

void DisturbedRuns::expect_checkpoint(const std::string& name) const {
  if (!fs::is_symlink(run(name) / "latest")) return;
  const fs::path latest = run(name) / "latest";
  try {
    verify_manifest(latest);
    Transformer model(read_model_config(latest), Mode::evaluate, {.tokens = 16});
    load_weights(latest, model);
  } catch (const std::exception& error) {
    ADD_FAILURE() << error.what();
  }
}

void DisturbedRuns::expect_recovers(const std::string& name) const {
  const bool saved = fs::is_symlink(run(name) / "latest");
  expect_checkpoint(name);
  Outcome resumed = disturb(name, {}, {"--resume"});
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, Not(HasSubstr("WARNING")));
  EXPECT_THAT(resumed.err, HasSubstr(saved ? "going on from" : "of 64 tokens"));
  expect_as_undisturbed(name);
}

void DisturbedRuns::expect_ends_alike(const std::string& name) const {
  auto end = [&](const std::string& of) {
    std::vector<std::pair<std::string, std::string>> content = timeless_content(run(of));
    std::erase_if(content, [](const auto& file) {
      return file.first.starts_with("step-") && !file.first.starts_with("step-00000012/");
    });
    // What is best and where depends on what could be saved.
    std::erase_if(content, [](const auto& file) { return file.first == "best"; });
    return content;
  };
  auto content = end(name), wanted = end("whole");
  ASSERT_EQ(content.size(), wanted.size());
  for (std::size_t file = 0; file < content.size(); ++file) {
    EXPECT_TRUE(content[file] == wanted[file]) << content[file].first;
  }
}

void DisturbedRuns::expect_as_undisturbed(const std::string& name) const {
  auto content = timeless_content(run(name)), wanted = timeless_content(run("whole"));
  std::vector<std::string> names, wanted_names;
  for (const auto& file : content) names.push_back(file.first);
  for (const auto& file : wanted) wanted_names.push_back(file.first);
  EXPECT_EQ(names, wanted_names);
  if (names != wanted_names) return;
  for (std::size_t file = 0; file < content.size(); ++file) {
    EXPECT_TRUE(content[file] == wanted[file]) << names[file];
  }
  EXPECT_TRUE(fs::exists(run(name) / "summary.json"));
  const char* cache = ".surprisal-cache";
  EXPECT_EQ(timeless_content(place_ / name / cache), timeless_content(place_ / "whole" / cache));
}

std::vector<Call> calls_of_save(const std::vector<Call>& calls, int step) {
  char own[32];
  std::snprintf(own, sizeof own, "/.tmp-step-%08d", step);
  auto begins = [](const std::string& name) {
    return [name](const Call& call) {
      return call.name == "mkdir" && call.paths.size() > name.size() && call.paths.ends_with(name);
    };
  };
  auto first = std::find_if(calls.begin(), calls.end(), begins(own));
  // Up to the next line of the log, which a step or the end of the run writes.
  auto last = std::find_if(first, calls.end(), [](const Call& call) {
    return call.paths.ends_with(".jsonl") || call.paths.find("summary.json") != std::string::npos;
  });
  return {first, last};
}

std::vector<Call> without_repeats(const std::vector<Call>& calls) {
  std::vector<Call> kept;
  auto same = [](const Call& a, const Call& b) { return a.name == b.name && a.paths == b.paths; };
  for (std::size_t call = 0; call < calls.size(); ++call) {
    const bool first = call == 0 || !same(calls[call - 1], calls[call]);
    const bool last = call + 1 == calls.size() || !same(calls[call + 1], calls[call]);
    if (first || last) kept.push_back(calls[call]);
  }
  return kept;
}

std::vector<Call> some_of(const std::vector<Call>& calls, std::size_t count) {
  std::vector<Call> kept;
  for (std::size_t i = 0; i < count; ++i) kept.push_back(calls.at((2 * i + 1) * calls.size() / (2 * count)));
  return kept;
}

}  // namespace surprisal
