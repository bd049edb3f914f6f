// The main job: a configuration becomes a trained model in a run directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "infer/evaluate.h"
#include "model/transformer.h"
#include "text/corpus/corpus_report.h"
#include "train/options.h"
#include "train/requests.h"

namespace surprisal {

// What is known before the first step.
struct RunPlan {
  std::string objective;
  std::int64_t parameters = 0;
  std::vector<MemoryUse> memory;  // by kind; the last is the program itself as it stands
  std::size_t memory_total = 0;
  std::uint64_t checkpoint_bytes = 0;  // of one, on disk
  CorpusReport data;
  std::optional<CorpusReport> validation;
  std::int64_t max_steps = 0, first_step = 1;
  std::int64_t tokens_per_step = 0, micro_batches = 0;
  double epochs = 0;       // that max_steps amount to
  double peak_gflops = 0;  // measured
  int threads = 0;
};

struct StepReport {
  std::int64_t step = 0, max_steps = 0;
  double epoch = 0, loss = 0, learning_rate = 0, gradient_norm = 0;
  double tokens_per_second = 0;  // smoothed over the last steps
  double share_of_peak = 0;      // of the step, likewise
  double eta_seconds = 0;
  std::int64_t skipped = 0;  // steps so far that were not finite
};

struct RunSummary {
  std::string objective;
  std::int64_t steps = 0;
  std::uint64_t tokens = 0;
  double wall_seconds = 0, training_seconds = 0;
  double tokens_per_second = 0, share_of_peak = 0;
  std::optional<double> train_loss;             // of the last step; none where a run was resumed at its end
  std::optional<double> first_evaluation_loss;  // of the token term at the start
  std::optional<Evaluation> evaluation;         // the last
  int stopped_by = 0;  // what was asked for by Requests::stop; 0: the run is at its end
};

// Told what happens while a run goes on; the library itself prints nothing.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void message(const std::string& /*text*/) {}
  virtual void tokenising(std::uint64_t /*done*/, std::uint64_t /*total*/) {}
  virtual void planned(const RunPlan& /*plan*/) {}
  virtual void stepped(const StepReport& /*report*/) {}
  // `objective`: empty for the run's own, else one of objective.evaluate.
  virtual void evaluated(std::int64_t /*step*/, const std::string& /*objective*/,
                         const Evaluation& /*evaluation*/, bool /*best*/) {}
  virtual void sampled(const std::string& /*objective*/, const std::string& /*text*/) {}
  virtual void saved(const std::string& /*directory*/) {}
};

// Trains to the end. `resume`: go on from the newest checkpoint that is whole; without one, start afresh and
// say so. A stop that `requests` brings ends the run after its step, which is dropped where it would take 10
// s more, with a checkpoint to go on from. Throws Error: usage, data, io, memory, and diverged where more
// losses or gradients in a row are not finite than train.skip_nonfinite allows (the last checkpoint stays as
// it is).
RunSummary train(const Configuration& configuration, bool resume, TrainObserver& observer,
                 Requests* requests = nullptr);

}  // namespace surprisal
