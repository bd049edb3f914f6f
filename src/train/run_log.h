// The lines of metrics.jsonl and the files summary.json and environment.json, with the field names that
// dashboards of Hugging Face's Trainer know.
#pragma once

#include <string>

#include "core/json.h"
#include "train/trainer.h"
#include "train/training_step.h"

namespace surprisal {

OrderedJson step_line(const StepReport& report, const StepResult& result, const Mixture& mixture,
                      std::uint64_t tokens, double wall_seconds);
OrderedJson evaluation_line(std::int64_t step, double epoch, const Evaluation& evaluation);
// Adds what another objective found on the same text: "eval/causal/loss" ...
void add_evaluation(OrderedJson& line, const std::string& specification, const Evaluation& evaluation);
std::string summary_text(const RunSummary& summary);
std::string environment_text(double peak_gflops);

}  // namespace surprisal
