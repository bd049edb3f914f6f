// What a run measures on its held-out text, and what it makes of that: the best checkpoints, and when to
// stop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "infer/evaluate.h"
#include "train/checkpoint.h"
#include "train/identity.h"
#include "train/options.h"
#include "train/setup.h"

namespace surprisal {

struct EvaluationReport {
  Evaluation training;                                       // under the run's own objective
  std::vector<std::pair<std::string, Evaluation>> others{};  // under those of objective.evaluate
  OrderedJson line{};                                        // of metrics.jsonl
  double value = 0;                                          // of train.metric_for_best_model
};

class Evaluations {
 public:
  // Everything named must outlive it. Throws Error (usage or data) where the text has nothing to predict
  // under one of the objectives.
  Evaluations(const Configuration& configuration, const RunSetup& setup, const TokenCorpus& text);

  // Throws Error: diverged where a loss is not finite, usage where there is no such metric.
  EvaluationReport run(Transformer& model, std::int64_t step, double epoch,
                       const EvaluationProgress& progress) const;

 private:
  const Configuration& configuration_;
  const RunSetup& setup_;
  const TokenCorpus& text_;
};

// Whether more of the metric is better: of accuracies. Less is better of losses and bits.
bool more_is_better(const std::string& metric);

// Where the best of the state were measured by another metric than the run's now: drops them, and what was
// counted since. Whether it did.
bool forget_best(const Identity& now, RunState& state);

// Enters the value of a step among the best `limit` of the state, and counts how long there was no
// improvement of more than train.early_stopping_threshold. Returns whether it is among them.
bool enter_best(const TrainOptions& options, std::int64_t step, double value, RunState& state);

}  // namespace surprisal
