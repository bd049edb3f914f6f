// The main job: a configuration becomes a trained model in a run directory.
//
//   auto configuration = TrainConfiguration::from_file("run.toml", {{"train.max_steps", "100"}});
//   TrainObserver silent;
//   RunSummary summary = train(configuration, /*resume=*/false, silent);
//
// One run at a time in a process: the number of threads is the process's. Everything that goes wrong is
// thrown as surprisal::Error; nothing is printed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "surprisal/corpus_report.h"
#include "surprisal/evaluation.h"
#include "surprisal/memory_use.h"
#include "surprisal/override.h"

namespace surprisal {

struct Configuration;

// A run's configuration (docs/configuration.md), read and checked. Immutable: it may be copied, and used from
// several threads at once.
class TrainConfiguration {
 public:
  // Relative paths are relative to the working directory. Throws Error: io where the file cannot be read;
  // usage for everything else, with file:line:column, and the nearest known name for one that is not known.
  static TrainConfiguration from_file(const std::string& file, const std::vector<Override>& overrides = {});
  // The same of TOML text; `where` names it in errors.
  static TrainConfiguration from_toml(std::string_view toml, const std::string& where,
                                      const std::vector<Override>& overrides = {});

  const std::string& directory() const;  // of the run, absolute
  std::string to_toml() const;           // every key as it was resolved; reads back as the same

  const Configuration& configuration() const { return *configuration_; }  // for the library itself

 private:
  explicit TrainConfiguration(std::shared_ptr<const Configuration> configuration);
  std::shared_ptr<const Configuration> configuration_;
};

// What the outside may ask of a run while it goes on. May be set from any thread and from signal handlers; a
// run looks at it at every micro-batch, and while it tokenises and evaluates.
class Requests {
 public:
  // End soon: finish the step, save, and return. `signal` tells the caller why afterwards; not 0.
  void stop(int signal) { stop_.store(signal); }
  // Save at the end of this step and go on.
  void save() { save_.store(true); }

  int stopping() const { return stop_.load(); }  // 0: no
  bool take_save() { return save_.exchange(false); }

 private:
  std::atomic<int> stop_{0};
  std::atomic<bool> save_{false};
};

// What is known before the first step.
struct RunPlan {
  std::string objective;
  std::int64_t parameters = 0;          // all of them, an adapter's included
  std::int64_t trained_parameters = 0;  // of these, that the run changes
  std::vector<MemoryUse> memory{};      // by kind; the last is the program itself as it stands
  std::size_t memory_total = 0;
  std::uint64_t checkpoint_bytes = 0;  // of one, on disk
  CorpusReport data{};
  std::optional<CorpusReport> validation{};
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
// s more, with a checkpoint to go on from. `observer` and `requests` must outlive the call; the observer is
// called on this thread alone, and what it throws ends the run and comes out. Throws Error: usage, data, io,
// memory, and diverged where more losses or gradients in a row are not finite than train.skip_nonfinite
// allows (the last checkpoint stays as it is).
RunSummary train(const TrainConfiguration& configuration, bool resume, TrainObserver& observer,
                 Requests* requests = nullptr);

}  // namespace surprisal
