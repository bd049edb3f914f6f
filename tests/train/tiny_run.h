// A whole run on a tiny language in a directory of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/json.h"
#include "tests/core/temporary_directory.h"
#include "train/trainer.h"

namespace surprisal {

// Text, held-out text and both tokenizers, and configurations for them.
class TinyRuns {
 public:
  TinyRuns();

  // 12 steps of 2 micro-batches of 64 rows, sequences of 16, saved and evaluated every 4; on one thread,
  // without dropout. The family and the tokenizer follow from the objective.
  Configuration configuration(const std::string& objective, const std::string& run) const;
  std::filesystem::path operator/(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, const std::string& content) const;
  void write_pairs(const std::string& name, int pairs) const;  // records of prompts and completions

 private:
  TemporaryDirectory directory_;
};

// Remembers what a run tells.
class Recorder : public TrainObserver {
 public:
  void message(const std::string& text) override { messages.push_back(text); }
  void planned(const RunPlan& plan) override { plans.push_back(plan); }
  void stepped(const StepReport& report) override {
    steps.push_back(report);
    if (on_step) on_step(report.step);
  }
  void evaluated(std::int64_t step, const std::string& objective, const Evaluation&, bool) override {
    if (!objective.empty()) return;
    evaluated_steps.push_back(step);
    if (on_evaluation) on_evaluation(step);
  }
  void saved(const std::string& directory) override {
    checkpoints.push_back(directory);
    if (on_save) on_save();
  }

  std::vector<std::string> messages;
  std::vector<RunPlan> plans;
  std::vector<StepReport> steps;
  std::vector<std::int64_t> evaluated_steps;
  std::vector<std::string> checkpoints;
  std::function<void(std::int64_t step)> on_step, on_evaluation;
  std::function<void()> on_save;
};

// Trains to the end from the start.
RunSummary train_quietly(const Configuration& configuration, bool resume = false);

// The lines of a .jsonl file.
std::vector<Json> read_lines(const std::filesystem::path& file);

// Every file below `directory` with its content (links with their target), without what measures time: those
// keys are taken out of metrics.jsonl, and environment.json, config.toml and summary.json are left out.
std::vector<std::pair<std::string, std::string>> timeless_content(const std::filesystem::path& directory);

}  // namespace surprisal
