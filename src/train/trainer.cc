#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <memory>
#include <new>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "infer/generate.h"
#include "objective/mixed_sampler.h"
#include "objective/target_preview.h"
#include "train/checkpoint_writer.h"
#include "train/evaluations.h"
#include "train/identity.h"
#include "train/line_log.h"
#include "train/memory_error.h"
#include "train/run_directory.h"
#include "train/run_log.h"
#include "train/schedule.h"
#include "train/setup.h"
#include "train/sizing.h"
#include "train/start_weights.h"
#include "train/throughput.h"
#include "train/training_step.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// A request to stop, met where there is no step to finish: while tokenising or evaluating.
struct Interrupted {};

// One run from its configuration to its end.
class Run {
 public:
  Run(const Configuration& configuration, TrainObserver& observer, Requests& requests)
      : configuration_(configuration),
        options_(configuration_.train),
        observer_(observer),
        requests_(requests),
        directory_(configuration_.run.directory),
        seed_(static_cast<std::uint64_t>(configuration_.run.seed)),
        setup_(configuration_) {}

  RunSummary run(bool resume);

 private:
  RunSummary run_to_end(bool resume);
  [[noreturn]] void out_of_memory(std::string what);
  TokenCorpus open_corpus(const std::vector<std::string>& files);
  RunPlan plan(std::int64_t max_steps);
  void check_space() const;
  void prepare_model();
  std::optional<fs::path> find_checkpoint(bool resume);
  void restore(const fs::path& checkpoint, const Identity& identity, MixedSampler& sampler);
  void open_logs();
  void loop(MixedSampler& sampler);
  bool step(TrainingStep& step, MixedSampler& sampler);
  void skip(const StepResult& result, TrainingStep& step);
  void report(const StepResult& result, double learning_rate, double step_seconds);
  void log(LineLog& file, const OrderedJson& line);
  Evaluation evaluation();
  bool evaluate_now();
  void write_samples();
  void after_step(const MixedPosition& position);
  void save(const MixedPosition& position);
  void tell(const std::optional<CheckpointWriter::Outcome>& outcome, bool last);
  Retention retention() const;
  double epoch_of(std::int64_t step) const {
    return packs_per_epoch_ > 0
               ? static_cast<double>(step * micro_batches()) / static_cast<double>(packs_per_epoch_)
               : 0;
  }
  std::int64_t micro_batches() const { return surprisal::micro_batches(options_); }
  bool due(std::int64_t every) const { return every > 0 && state_.step % every == 0; }
  bool evaluation_due() const {
    return validation_ && state_.evaluated_step < state_.step &&
           (state_.step == 0 || due(options_.eval_steps) || state_.step == plan_.max_steps);
  }
  bool out_of_patience() const {
    return options_.early_stopping_patience > 0 &&
           state_.evaluations_without_improvement >= options_.early_stopping_patience;
  }
  // Beyond its last step is a run that is resumed with fewer.
  bool finished() const { return state_.step >= plan_.max_steps || out_of_patience(); }
  std::string saved_so_far() const {
    std::optional<fs::path> saved = directory_.latest();
    return saved ? fmt::format("the last checkpoint, {}, is as it was", saved->string())
                 : "no checkpoint was saved yet";
  }
  RunSummary summary() const;

  Configuration configuration_;
  const TrainOptions& options_;
  TrainObserver& observer_;
  Requests& requests_;
  RunDirectory directory_;
  std::optional<FileLock> lock_;
  std::uint64_t seed_;
  RunSetup setup_;
  std::optional<TokenCorpus> corpus_, validation_;
  std::optional<Evaluations> evaluations_;
  std::unique_ptr<Transformer> model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<LineLog> metrics_, samples_;
  CheckpointAdapter adapter_;
  std::unique_ptr<CheckpointWriter> writer_;
  RunState state_;
  RunPlan plan_;
  std::uint64_t packs_per_epoch_ = 0;
  Clock::time_point start_ = Clock::now();
  Throughput throughput_;
  std::optional<double> last_loss_;
  std::optional<Evaluation> evaluation_;
  std::int64_t saved_step_ = -1;
};

TokenCorpus Run::open_corpus(const std::vector<std::string>& files) {
  return open_run_text(configuration_, setup_, files, [&](std::uint64_t done, std::uint64_t total) {
    if (requests_.stopping() != 0) throw Interrupted();
    observer_.tokenising(done, total);
  });
}

RunPlan Run::plan(std::int64_t max_steps) {
  RunSizes sizes = size_run(configuration_, setup_);
  RunPlan plan{.objective = setup_.mixture.specification(),
               .parameters = sizes.parameters,
               .trained_parameters = sizes.trained_parameters};
  plan.memory = std::move(sizes.memory);
  plan.memory.push_back({"program", program_memory()});
  for (const MemoryUse& use : plan.memory) plan.memory_total += use.bytes;
  plan.checkpoint_bytes = sizes.checkpoint;
  plan.data = corpus_->report();
  if (validation_) plan.validation = validation_->report();
  plan.max_steps = max_steps;
  plan.first_step = state_.step + 1;
  plan.tokens_per_step = options_.tokens_per_step;
  plan.micro_batches = micro_batches();
  plan.epochs = epoch_of(max_steps);
  plan.peak_gflops = measure_f32_peak();
  plan.threads = threads();
  return plan;
}

// The disk must hold one checkpoint; where it cannot hold all that are kept, that is said while it can be
// helped.
void Run::check_space() const {
  directory_.require_room(plan_.checkpoint_bytes);
  const std::uint64_t room = directory_.room_for(plan_.checkpoint_bytes),
                      wanted = checkpoints_at_once(options_);
  if (room < wanted) {
    observer_.message(fmt::format("warning: {} has space for {} checkpoints of {} MiB; the run wants {}",
                                  directory_.path().string(), room, plan_.checkpoint_bytes >> 20, wanted));
  }
}

void Run::prepare_model() {
  model_ =
      std::make_unique<Transformer>(setup_.config, Mode::train, run_capacity(configuration_, setup_.mixture),
                                    static_cast<std::size_t>(options_.head_workspace_mib) << 20);
  optimizer_ = std::make_unique<Optimizer>(*model_);
  writer_ = std::make_unique<CheckpointWriter>(directory_, *model_, *optimizer_, setup_.tokenizer, options_,
                                               adapter_);
}

std::optional<fs::path> Run::find_checkpoint(bool resume) {
  if (!resume) return std::nullopt;
  std::vector<std::string> damaged;
  std::optional<fs::path> checkpoint = directory_.newest_whole(damaged);
  for (const std::string& what : damaged) {
    observer_.message(fmt::format("WARNING: a checkpoint is damaged and is not used: {}", what));
  }
  if (!checkpoint) observer_.message("there is no checkpoint to resume from: starting afresh");
  return checkpoint;
}

void Run::restore(const fs::path& checkpoint, const Identity& identity, MixedSampler& sampler) {
  for (const std::string& note :
       compare_identity(read_run_state(checkpoint).identity, identity, checkpoint.string())) {
    observer_.message("note: " + note);
  }
  if (setup_.adapter.any()) adapter_ = start_weights(configuration_, setup_, *model_, observer_);
  state_ = read_checkpoint(checkpoint, adapter_, *model_, *optimizer_);
  if (forget_best(identity, state_))
    observer_.message("note: the best steps so far were best by another metric");
  sampler.seek(state_.sampler);
  saved_step_ = state_.step;
  directory_.publish(state_.step, retention());
  directory_.cut_back(state_.step);
  observer_.message(fmt::format("going on from {}", checkpoint.string()));
}

void Run::open_logs() {
  directory_.write("config.toml", configuration_.to_toml());
  directory_.write("environment.json", environment_text(plan_.peak_gflops));
  metrics_ = std::make_unique<LineLog>(directory_.path() / "metrics.jsonl");
  if (validation_ && options_.num_samples > 0 && writes_text(setup_.mixture)) {
    samples_ = std::make_unique<LineLog>(directory_.path() / "samples.jsonl");
  }
}

void Run::log(LineLog& file, const OrderedJson& line) {
  if (std::optional<Error> error = file.append(to_line(line))) {
    observer_.message(
        fmt::format("warning: {}; the lines are kept and written when they can be", error->what()));
  }
}

RunSummary Run::run(bool resume) {
  try {
    return run_to_end(resume);
  } catch (const Interrupted&) {
    RunSummary stopped = summary();
    stopped.stopped_by = requests_.stopping();
    return stopped;
  } catch (const std::bad_alloc&) {
    out_of_memory("memory ran out");
  } catch (const Error& error) {
    // The arenas and the products name what they lacked; what was planned and what would fit is known here.
    if (error.kind() != ErrorKind::memory) throw;
    out_of_memory(error.parts().what);
  }
}

void Run::out_of_memory(std::string what) {
  if (plan_.memory.empty()) throw;  // while tokenising: there is nothing that a key would change
  if (state_.step >= plan_.first_step) {
    what += fmt::format(" after step {}; {}", state_.step, saved_so_far());
  }
  writer_.reset();  // waits for the save in flight
  optimizer_.reset();
  model_.reset();
  throw memory_error(what, configuration_, setup_, plan_);
}

RunSummary Run::run_to_end(bool resume) {
  directory_.check(resume);  // before the corpus is tokenised
  corpus_ = open_corpus(configuration_.data.train);
  if (!configuration_.data.validation.empty()) {
    validation_ = open_corpus(configuration_.data.validation);
    evaluations_.emplace(configuration_, setup_, *validation_);
  }
  std::int32_t pack_tokens = static_cast<std::int32_t>(options_.micro_batch_tokens);
  MixedSampler sampler(*corpus_, setup_.mixture, seed_, pack_tokens, SampleOrder::shuffled);
  packs_per_epoch_ = sampler.packs_in_epoch();
  const std::int64_t max_steps = count_steps(options_, packs_per_epoch_);
  make_directories(directory_.path());
  lock_.emplace(directory_.path() / "run.lock");
  directory_.open(resume);
  std::optional<fs::path> checkpoint = find_checkpoint(resume);
  plan_ = plan(max_steps);
  observer_.planned(plan_);
  require_memory(configuration_, setup_, plan_);
  check_space();
  if (!setup_.warning.empty()) observer_.message(setup_.warning);
  for (const std::string& remark : setup_.mixture.remarks(*corpus_)) observer_.message(remark);
  for (const std::string& line : preview_targets(*corpus_, setup_.mixture, setup_.tokenizer, seed_))
    observer_.message(line);
  prepare_model();
  Identity identity =
      identity_of(configuration_, setup_.tokenizer, *corpus_, validation_ ? &*validation_ : nullptr);
  if (checkpoint) {
    restore(*checkpoint, identity, sampler);
  } else {
    adapter_ = start_weights(configuration_, setup_, *model_, observer_);
  }
  state_.identity = std::move(identity);
  plan_.first_step = state_.step + 1;
  open_logs();
  loop(sampler);
  RunSummary result = summary();
  if (result.stopped_by == 0) directory_.write("summary.json", summary_text(result));
  return result;
}

void Run::loop(MixedSampler& sampler) {
  TrainingStep step(*model_, *optimizer_, setup_.mixture, options_, seed_);
  after_step(sampler.position());  // the evaluation at the start, or one that was cut short
  while (!finished() && requests_.stopping() == 0) {
    tell(writer_->poll(), false);  // not behind the last step, whose save is the run's last
    const MixedPosition before = sampler.position();
    const bool dropped = !this->step(step, sampler);
    after_step(dropped ? before : sampler.position());
  }
  tell(writer_->finish(), true);
  metrics_->finish();
  if (samples_) samples_->finish();
  if (out_of_patience()) {
    observer_.message(fmt::format("{} was not better in {} evaluations: stopping at step {}",
                                  options_.metric_for_best_model, state_.evaluations_without_improvement,
                                  state_.step));
  }
  // A run resumed at its end has nothing to do but its summary; its log holds this evaluation already.
  if (validation_ && !evaluation_ && requests_.stopping() == 0) evaluation_ = evaluation();
}

// Returns false where the step was dropped, since whoever asked the run to stop would have to wait too long.
bool Run::step(TrainingStep& step, MixedSampler& sampler) {
  constexpr double kPatience = 10;  // seconds
  Clock::time_point begin = Clock::now();
  const std::int64_t number = state_.step + 1;
  const double rate = learning_rate(options_, plan_.max_steps, number);
  sampler.set_progress(number, plan_.max_steps);
  StepResult result = step.run(sampler, number - state_.skipped, rate, [&](double seconds_left) {
    return requests_.stopping() != 0 && seconds_left > kPatience;
  });
  if (result.dropped) return false;
  result.finite() ? void(state_.skipped_in_a_row = 0) : skip(result, step);
  state_.step = number;
  state_.tokens += result.tokens;
  report(result, rate, seconds_since(begin));
  return true;
}

void Run::skip(const StepResult& result, TrainingStep& step) {
  const std::int64_t number = state_.step + 1;
  std::string what = fmt::format("loss {} and gradient norm {} at step {}", std::abs(result.loss),
                                 result.gradient_norm, number);
  if (state_.skipped_in_a_row >= options_.skip_nonfinite) {
    tell(writer_->finish(), false);
    const std::string place = step.find_nonfinite();
    throw Error(ErrorKind::diverged,
                {.what = what + (place.empty() ? "" : ", first in " + place),
                 .where = "documents " + step.documents(*corpus_),
                 .fix = "lower train.learning_rate or look at these documents; " + saved_so_far()});
  }
  ++state_.skipped_in_a_row;
  ++state_.skipped;
  observer_.message(fmt::format("warning: {}: the step is skipped ({} so far); documents {}", what,
                                state_.skipped, step.documents(*corpus_)));
}

void Run::report(const StepResult& result, double learning_rate, double step_seconds) {
  throughput_.add(result, step_seconds);
  last_loss_ = result.loss;
  double done = static_cast<double>(state_.step - plan_.first_step + 1);
  StepReport report{
      .step = state_.step,
      .max_steps = plan_.max_steps,
      .epoch = epoch_of(state_.step),
      .loss = result.loss,
      .learning_rate = learning_rate,
      .gradient_norm = result.gradient_norm,
      .tokens_per_second = throughput_.recent_tokens_per_second(),
      .share_of_peak = throughput_.recent_flops_per_second() / (plan_.peak_gflops * 1e9),
      .eta_seconds = seconds_since(start_) / done * static_cast<double>(plan_.max_steps - state_.step),
      .skipped = state_.skipped};
  log(*metrics_, step_line(report, result, setup_.mixture, state_.tokens, seconds_since(start_)));
  observer_.stepped(report);
}

Evaluation Run::evaluation() {
  return evaluations_->run(*model_, state_.step, epoch_of(state_.step), {}).training;
}

// Returns whether this is among the best so far; never at the start, where nothing was learned.
bool Run::evaluate_now() try {
  EvaluationReport report =
      evaluations_->run(*model_, state_.step, epoch_of(state_.step), [&](std::uint64_t, std::uint64_t) {
        if (requests_.stopping() != 0) throw Interrupted();
      });
  evaluation_ = report.training;
  state_.evaluated_step = state_.step;
  if (state_.step == 0)
    state_.first_evaluation = evaluation_->token.weight > 0 ? evaluation_->token.mean() : evaluation_->loss;
  const bool best = state_.step > 0 && enter_best(options_, state_.step, report.value, state_);
  log(*metrics_, report.line);
  observer_.evaluated(state_.step, "", *evaluation_, best && state_.best.front().step == state_.step);
  for (const auto& [objective, other] : report.others) {
    observer_.evaluated(state_.step, objective, other, false);
  }
  write_samples();
  return best;
} catch (const Error& error) {
  if (error.kind() != ErrorKind::diverged) throw;
  ErrorParts parts = error.parts();
  parts.what += fmt::format(" at step {}", state_.step);
  parts.fix = state_.step == 0 ? "look at the weights that the run begins with: no step was made yet"
                               : "lower train.learning_rate; " + saved_so_far();
  throw Error(ErrorKind::diverged, parts);
}

void Run::write_samples() {
  const std::int64_t most =
      configuration_.data.sequence_length - 1;  // rows that the model has seen in a text
  for (const Part& part : setup_.mixture.parts()) {
    const ObjectiveTraits& traits = part.terms.front().objective->traits();
    for (std::int64_t sample = 0; writes_text(traits) && sample < options_.num_samples; ++sample) {
      const std::int32_t begin[] = {*setup_.tokenizer.special().bos};
      const GenerateOptions generation{.sampling = {.seed = seed_ + static_cast<std::uint64_t>(sample)},
                                       .max_tokens = std::min<std::int64_t>(most, 40)};
      std::vector<std::int32_t> ids =
          std::move(continue_tokens(*model_, setup_.tokenizer, begin, generation).front().ids);
      if (traits.name == "reverse") std::reverse(ids.begin(), ids.end());
      std::string text = setup_.tokenizer.decode(ids);
      log(*samples_, {{"step", state_.step}, {"objective", traits.name}, {"text", text}});
      observer_.sampled(std::string(traits.name), text);
    }
  }
}

// Evaluates and saves where that is due. `position`: where the sampler stands behind this step.
void Run::after_step(const MixedPosition& position) {
  bool evaluated = false, best = false;
  try {
    if (evaluation_due()) {
      best = evaluate_now();
      evaluated = true;
    }
  } catch (const Interrupted&) {
    // What is saved below says that this evaluation is still to come.
  }
  if (state_.step == 0) return;
  const bool asked = requests_.take_save() || requests_.stopping() != 0;
  const bool wanted = best || asked || due(options_.save_steps) || finished();
  if (wanted && (evaluated || saved_step_ != state_.step)) save(position);
}

void Run::save(const MixedPosition& position) {
  tell(writer_->finish(), false);
  state_.sampler = position;
  writer_->save(state_, retention());
  saved_step_ = state_.step;
}

Retention Run::retention() const {
  Retention retention{.limit = options_.save_total_limit, .keep_steps = options_.save_keep_steps};
  for (const ScoredStep& best : state_.best) retention.best.push_back(best.step);
  return retention;
}

// A save that failed is retried at the next; only where there is none is the run's work at stake.
void Run::tell(const std::optional<CheckpointWriter::Outcome>& outcome, bool last) {
  if (!outcome) return;
  if (outcome->committed) observer_.saved(outcome->path.string());
  if (!outcome->failure) return;
  if (last) std::rethrow_exception(outcome->failure);
  if (!outcome->committed && saved_step_ == outcome->step) saved_step_ = -1;
  try {
    std::rethrow_exception(outcome->failure);
  } catch (const std::exception& error) {
    observer_.message(outcome->committed
                          ? fmt::format("WARNING: {}; the next save tries it again", error.what())
                          : fmt::format("WARNING: step {} was not saved: {}; training goes on, and {}",
                                        outcome->step, error.what(), saved_so_far()));
  }
}

RunSummary Run::summary() const {
  RunSummary summary;
  summary.objective = setup_.mixture.specification();
  summary.steps = state_.step;
  summary.tokens = state_.tokens;
  summary.wall_seconds = seconds_since(start_);
  summary.training_seconds = throughput_.seconds();
  summary.tokens_per_second = throughput_.tokens_per_second();
  if (plan_.peak_gflops > 0) {  // not where the run was stopped before its plan
    summary.share_of_peak = throughput_.flops_per_second() / (plan_.peak_gflops * 1e9);
  }
  summary.train_loss = last_loss_;
  summary.first_evaluation_loss = state_.first_evaluation;
  summary.evaluation = evaluation_;
  summary.stopped_by = finished() ? 0 : requests_.stopping();
  return summary;
}

}  // namespace

RunSummary train(const Configuration& configuration, bool resume, TrainObserver& observer,
                 Requests* requests) {
  if (configuration.train.threads > 0) set_threads(static_cast<int>(configuration.train.threads));
  Requests none;
  return Run(with_class_names(configuration), observer, requests ? *requests : none).run(resume);
}

}  // namespace surprisal
