#include "train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "infer/generate.h"
#include "model/family.h"
#include "objective/sampler.h"
#include "store/model_directory.h"
#include "train/checkpoint.h"
#include "train/run_directory.h"
#include "train/run_log.h"
#include "train/schedule.h"
#include "train/training_step.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

fs::path cache_directory(const Configuration& configuration) {
  if (!configuration.data.cache_directory.empty()) return configuration.data.cache_directory;
  return fs::path(configuration.run.directory).parent_path() / ".surprisal-cache";
}

ModelConfig model_config(const Configuration& configuration, const Tokenizer& tokenizer) {
  const ModelOptions& options = configuration.model;
  ModelConfig config;
  if (options.path.empty()) {
    const Family& family = find_family(options.family, "model.family", ErrorKind::usage);
    config = family.from_options(options, tokenizer.vocabulary_size(), configuration.data.sequence_length);
    const SpecialTokens& special = tokenizer.special();
    config.bos_token_id = special.bos.value_or(-1);
    config.eos_token_id = special.eos.value_or(-1);
    config.pad_token_id = special.pad.value_or(-1);
    check_config(config, ErrorKind::usage, "[model]");
  } else {
    config = read_model_config(options.path);
  }
  return config;
}

// What model, tokenizer and objective must agree on, before anything is allocated.
void check_fit(const Configuration& configuration, const ModelConfig& config, const Tokenizer& tokenizer,
               const Mixture& mixture) {
  if (config.vocab_size < tokenizer.vocabulary_size()) {
    throw Error(ErrorKind::usage, {.what = "the tokenizer has more tokens than the model has embeddings",
                                   .where = configuration.tokenizer.path,
                                   .found = fmt::format("{} tokens", tokenizer.vocabulary_size()),
                                   .expected = fmt::format("at most {}", config.vocab_size),
                                   .fix = "use the tokenizer that the model was trained with"});
  }
  if (configuration.data.sequence_length > config.max_position_embeddings) {
    throw Error(ErrorKind::usage, {.what = "data.sequence_length is beyond the model's positions",
                                   .found = fmt::format("{}", configuration.data.sequence_length),
                                   .expected = fmt::format("at most {}", config.max_position_embeddings)});
  }
  if (mixture.has_labels() && config.type_vocab_size == 1) {
    throw Error(ErrorKind::usage,
                {.what = fmt::format("objective \"{}\" needs two segments", mixture.specification()),
                 .where = "model.type_vocab_size",
                 .found = "1",
                 .expected = "at least 2"});
  }
  if (mixture.has_labels() && config.classes < mixture.classes()) {
    throw Error(ErrorKind::usage,
                {.what = fmt::format("objective \"{}\" needs a sentence head with {} classes",
                                     mixture.specification(), mixture.classes()),
                 .where = fmt::format("family {}", config.family),
                 .found = config.classes == 0 ? "none" : fmt::format("{}", config.classes),
                 .fix = "leave the objective over labels out, or use a model of family bert"});
  }
}

// Our model takes any interval; other programs give a family's rows one kind of sight. What was trained under
// another would load there and compute something else, so it is said; empty where there is nothing to say.
std::string sight_warning(const ModelConfig& config, const Mixture& mixture) {
  bool decoder = find_family(config.family, "model.family").decoder;
  for (const Part& part : mixture.parts()) {
    if (part.terms.front().objective->traits().decoder == decoder) continue;
    return fmt::format(
        "warning: other programs let the rows of a {} see {}; what \"{}\" trains is right in this one alone",
        config.family, decoder ? "only what stands before them" : "the whole sequence", part.name);
  }
  return {};
}

// Memory that is not there is granted all the same and missed only when it is used; then the kernel ends the
// process without a word.
void check_memory(const RunPlan& plan) {
  std::size_t needed = plan.memory_total - plan.memory.back().bytes;  // the program itself has what it needs
  std::int64_t available = describe_machine().memory_available;
  if (available <= 0 || needed <= static_cast<std::size_t>(available)) return;
  throw Error(ErrorKind::memory, {.what = "the run needs more memory than there is",
                                  .found = fmt::format("{} MiB", needed >> 20),
                                  .expected = fmt::format("at most {} MiB", available >> 20),
                                  .fix = "lower train.micro_batch_tokens or the size of the model"});
}

// One run from its configuration to its end.
class Run {
 public:
  Run(const Configuration& configuration, TrainObserver& observer)
      : configuration_(configuration),
        options_(configuration_.train),
        observer_(observer),
        directory_(configuration_.run.directory),
        seed_(static_cast<std::uint64_t>(configuration_.run.seed)),
        tokenizer_(Tokenizer::load(configuration_.tokenizer.path)),
        mixture_(configuration_.objective.train, configuration_.objective, tokenizer_,
                 configuration_.data.sequence_length),
        config_(model_config(configuration_, tokenizer_)) {
    check_fit(configuration_, config_, tokenizer_, mixture_);
  }

  RunSummary run(bool resume);

 private:
  TokenCorpus open_corpus(const std::vector<std::string>& files);
  std::int64_t count_steps(Sampler& sampler);
  RunPlan plan(std::int64_t max_steps);
  std::map<std::string, std::string> identity() const;
  void prepare_model();
  void restore(const fs::path& checkpoint, Sampler& sampler);
  void loop(Sampler& sampler);
  void report(const StepResult& result, double learning_rate, double step_seconds);
  Evaluation evaluation();
  bool evaluate_now();
  void write_samples();
  void save(bool best, const Sampler& sampler);
  double epoch_of(std::int64_t step) const {
    return packs_per_epoch_ > 0
               ? static_cast<double>(step * micro_batches()) / static_cast<double>(packs_per_epoch_)
               : 0;
  }
  std::int64_t label_capacity() const { return mixture_.has_labels() ? options_.micro_batch_tokens : 1; }
  std::int64_t micro_batches() const { return options_.tokens_per_step / options_.micro_batch_tokens; }
  bool due(std::int64_t every) const { return every > 0 && state_.step % every == 0; }
  std::string saved_so_far() const {
    std::optional<fs::path> saved = directory_.latest();
    return saved ? fmt::format("the last checkpoint, {}, is as it was", saved->string())
                 : "no checkpoint was saved yet";
  }
  bool finished() const { return state_.step == plan_.max_steps; }
  RunSummary summary() const;

  Configuration configuration_;
  const TrainOptions& options_;
  TrainObserver& observer_;
  RunDirectory directory_;
  std::optional<FileLock> lock_;
  std::uint64_t seed_;
  Tokenizer tokenizer_;
  Mixture mixture_;
  ModelConfig config_;
  std::optional<TokenCorpus> corpus_, validation_;
  std::unique_ptr<Transformer> model_;
  std::unique_ptr<Optimizer> optimizer_;
  RunState state_;
  RunPlan plan_;
  std::uint64_t packs_per_epoch_ = 0;
  Clock::time_point start_ = Clock::now();
  double training_seconds_ = 0, training_flops_ = 0, recent_seconds_ = 0, recent_flops_ = 0,
         recent_tokens_ = 0;
  std::uint64_t tokens_here_ = 0;  // of this process, not of the steps before a resume
  std::optional<double> last_loss_;
  std::optional<Evaluation> evaluation_;
  std::int64_t evaluated_step_ = -1;
};

TokenCorpus Run::open_corpus(const std::vector<std::string>& files) {
  TokenCorpus corpus =
      TokenCorpus::open(files, configuration_.data.corpus, tokenizer_, cache_directory(configuration_),
                        [&](std::uint64_t done, std::uint64_t total) { observer_.tokenising(done, total); });
  mixture_.check_corpus(corpus);
  return corpus;
}

std::int64_t Run::count_steps(Sampler& sampler) {
  packs_per_epoch_ = sampler.packs_in_epoch(0);
  if (options_.max_steps > 0) return options_.max_steps;
  double packs = options_.num_train_epochs * static_cast<double>(packs_per_epoch_);
  return std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil(packs / static_cast<double>(micro_batches()))));
}

RunPlan Run::plan(std::int64_t max_steps) {
  constexpr std::size_t kStreamBytes = 48;  // of all arrays of a stream, a row
  RunPlan plan;
  ParameterTable table = make_parameter_table(config_);
  plan.objective = mixture_.specification();
  plan.parameters = table.count;
  plan.memory = Transformer::plan(config_, Mode::train,
                                  {.tokens = options_.micro_batch_tokens, .labels = label_capacity()},
                                  static_cast<std::size_t>(options_.head_workspace_mib) << 20);
  plan.memory.push_back({"optimizer", Optimizer::plan(table)});
  plan.memory.push_back({"data", kStreamBytes * static_cast<std::size_t>(options_.tokens_per_step)});
  plan.memory.push_back({"program", static_cast<std::size_t>(anonymous_memory())});
  for (const MemoryUse& use : plan.memory) plan.memory_total += use.bytes;
  plan.documents = corpus_->documents();
  plan.corpus_tokens = corpus_->tokens();
  plan.corpus_bytes = corpus_->bytes();
  if (validation_) {
    plan.validation_documents = validation_->documents();
    plan.validation_tokens = validation_->tokens();
  }
  plan.max_steps = max_steps;
  plan.first_step = state_.step + 1;
  plan.tokens_per_step = options_.tokens_per_step;
  plan.micro_batches = micro_batches();
  plan.epochs = epoch_of(max_steps);
  plan.peak_gflops = measure_f32_peak();
  plan.threads = threads();
  return plan;
}

// The configuration keys that a resumed run must share with the one that saved.
std::map<std::string, std::string> Run::identity() const {
  std::map<std::string, std::string> identity{
      {"objective.train", mixture_.specification()},
      {"run.seed", fmt::format("{}", seed_)},
      {"data.sequence_length", fmt::format("{}", configuration_.data.sequence_length)},
      {"train.tokens_per_step", fmt::format("{}", options_.tokens_per_step)},
      {"train.micro_batch_tokens", fmt::format("{}", options_.micro_batch_tokens)},
      {"data.train", corpus_->fingerprint()}};
  Configuration copy = configuration_;
  for (const FieldHelp& field : describe_options([&](OptionVisitor& visitor) { copy.visit(visitor); })) {
    bool decides = field.key.starts_with("objective.") || field.key.starts_with("model.");
    if (decides && !field.default_value.empty()) identity[field.key] = field.default_value;
  }
  return identity;
}

void Run::prepare_model() {
  model_ = std::make_unique<Transformer>(
      config_, Mode::train, Capacity{.tokens = options_.micro_batch_tokens, .labels = label_capacity()},
      static_cast<std::size_t>(options_.head_workspace_mib) << 20);
  optimizer_ = std::make_unique<Optimizer>(*model_);
  if (configuration_.model.path.empty()) {
    model_->initialise(seed_);
  } else {
    load_weights(configuration_.model.path, *model_);
  }
}

void Run::restore(const fs::path& checkpoint, Sampler& sampler) {
  std::map<std::string, std::string> began = read_run_state(checkpoint).identity;
  for (const auto& [key, value] : identity()) {
    auto saved = began.find(key);
    if (saved != began.end() && saved->second != value) {
      throw Error(ErrorKind::usage, {.what = fmt::format("{} is not what the run began with", key),
                                     .where = checkpoint.string(),
                                     .found = value,
                                     .expected = saved->second,
                                     .fix = "start a new run in another run.directory"});
    }
  }
  state_ = read_checkpoint(checkpoint, *model_, *optimizer_);
  sampler.seek(state_.sampler);
  directory_.cut_back(state_.step);
  observer_.message(fmt::format("going on from {}", checkpoint.string()));
}

RunSummary Run::run(bool resume) {
  directory_.check(resume);  // before the corpus is tokenised
  corpus_ = open_corpus(configuration_.data.train);
  if (!configuration_.data.validation.empty()) validation_ = open_corpus(configuration_.data.validation);
  std::int32_t pack_tokens = static_cast<std::int32_t>(options_.micro_batch_tokens);
  Sampler sampler(*corpus_, mixture_, seed_, pack_tokens, SampleOrder::shuffled);
  std::int64_t max_steps = count_steps(sampler);
  make_directories(directory_.path());
  lock_.emplace(directory_.path() / "run.lock");
  directory_.open(resume);
  std::optional<fs::path> checkpoint = resume ? directory_.latest() : std::nullopt;
  if (resume && !checkpoint) observer_.message("there is no checkpoint to resume from: starting afresh");
  plan_ = plan(max_steps);
  observer_.planned(plan_);
  check_memory(plan_);
  if (std::string warning = sight_warning(config_, mixture_); !warning.empty()) observer_.message(warning);
  prepare_model();
  if (checkpoint) restore(*checkpoint, sampler);
  state_.identity = identity();
  plan_.first_step = state_.step + 1;
  directory_.write("config.toml", configuration_.to_toml());
  directory_.write("environment.json", environment_text(plan_.peak_gflops));
  loop(sampler);
  RunSummary result = summary();
  directory_.write("summary.json", summary_text(result));
  return result;
}

void Run::loop(Sampler& sampler) {
  TrainingStep step(*model_, *optimizer_, mixture_, options_, seed_);
  if (state_.step == 0) evaluate_now();
  while (state_.step < plan_.max_steps) {
    Clock::time_point begin = Clock::now();
    std::int64_t number = state_.step + 1;
    double rate = learning_rate(options_, plan_.max_steps, number);
    StepResult result = step.run(sampler, number, rate);
    if (!result.finite()) {
      throw Error(ErrorKind::diverged,
                  {.what = fmt::format("loss {} and gradient norm {} at step {}", result.loss,
                                       result.gradient_norm, number),
                   .where = "documents " + step.documents(*corpus_),
                   .fix = "lower train.learning_rate or look at these documents; " + saved_so_far()});
    }
    state_.step = number;
    state_.tokens += result.tokens;
    report(result, rate, seconds_since(begin));
    bool improved = (due(options_.eval_steps) || finished()) && evaluate_now();
    if (improved || due(options_.save_steps) || finished()) save(improved, sampler);
  }
  // A run resumed at its end has nothing to do but its summary; its log holds this evaluation already.
  if (validation_ && evaluated_step_ != state_.step) evaluation_ = evaluation();
}

void Run::report(const StepResult& result, double learning_rate, double step_seconds) {
  constexpr double kFade = 0.9;  // weight of the steps before in what is shown
  training_seconds_ += step_seconds;
  training_flops_ += result.flops;
  tokens_here_ += result.tokens;
  last_loss_ = result.loss;
  recent_seconds_ = kFade * recent_seconds_ + step_seconds;
  recent_flops_ = kFade * recent_flops_ + result.flops;
  recent_tokens_ = kFade * recent_tokens_ + static_cast<double>(result.tokens);
  double done = static_cast<double>(state_.step - plan_.first_step + 1);
  StepReport report{
      .step = state_.step,
      .max_steps = plan_.max_steps,
      .epoch = epoch_of(state_.step),
      .loss = result.loss,
      .learning_rate = learning_rate,
      .gradient_norm = result.gradient_norm,
      .tokens_per_second = recent_tokens_ / recent_seconds_,
      .share_of_peak = recent_flops_ / recent_seconds_ / (plan_.peak_gflops * 1e9),
      .eta_seconds = seconds_since(start_) / done * static_cast<double>(plan_.max_steps - state_.step)};
  directory_.append("metrics.jsonl",
                    step_line(report, result, mixture_, state_.tokens, seconds_since(start_)));
  observer_.stepped(report);
}

Evaluation Run::evaluation() {
  try {
    return evaluate(*model_, *validation_, mixture_, seed_,
                    static_cast<std::int32_t>(options_.micro_batch_tokens));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::diverged) throw;
    ErrorParts parts = error.parts();
    parts.what += fmt::format(" at step {}", state_.step);
    parts.fix = "lower train.learning_rate; " + saved_so_far();
    throw Error(ErrorKind::diverged, parts);
  }
}

// Returns whether the held-out loss is the lowest so far; never at the start, where nothing was learned.
bool Run::evaluate_now() {
  if (!validation_) return false;
  evaluation_ = evaluation();
  evaluated_step_ = state_.step;
  if (state_.step == 0)
    state_.first_evaluation = evaluation_->token.weight > 0 ? evaluation_->token.mean() : evaluation_->loss;
  bool improved = state_.step > 0 && (!state_.best_evaluation || evaluation_->loss < *state_.best_evaluation);
  if (improved) state_.best_evaluation = evaluation_->loss;
  directory_.append("metrics.jsonl", evaluation_line(state_.step, epoch_of(state_.step), *evaluation_));
  observer_.evaluated(state_.step, *evaluation_, improved);
  write_samples();
  return improved;
}

void Run::write_samples() {
  const std::int64_t most =
      configuration_.data.sequence_length - 1;  // rows that the model has seen in a text
  for (const Part& part : mixture_.parts()) {
    const ObjectiveTraits& traits = part.terms.front().objective->traits();
    for (std::int64_t sample = 0; traits.decoder && sample < options_.num_samples; ++sample) {
      GenerateOptions generation{.max_tokens = std::min(most, GenerateOptions().max_tokens),
                                 .seed = seed_,
                                 .sample = static_cast<std::uint64_t>(sample),
                                 .right_to_left = traits.name == "reverse"};
      std::string text = tokenizer_.decode(generate(*model_, tokenizer_, generation));
      directory_.append("samples.jsonl", {{"step", state_.step}, {"objective", traits.name}, {"text", text}});
      observer_.sampled(std::string(traits.name), text);
    }
  }
}

void Run::save(bool best, const Sampler& sampler) {
  state_.sampler = sampler.position();
  fs::path saved =
      directory_.commit(state_.step, best, options_.save_total_limit, [&](const fs::path& directory) {
        write_checkpoint(directory, *model_, tokenizer_, *optimizer_, state_);
      });
  observer_.saved(saved.string());
}

RunSummary Run::summary() const {
  RunSummary summary;
  summary.objective = mixture_.specification();
  summary.steps = state_.step;
  summary.tokens = state_.tokens;
  summary.wall_seconds = seconds_since(start_);
  summary.training_seconds = training_seconds_;
  if (training_seconds_ > 0) {
    summary.tokens_per_second = static_cast<double>(tokens_here_) / training_seconds_;
    summary.share_of_peak = training_flops_ / training_seconds_ / (plan_.peak_gflops * 1e9);
  }
  summary.train_loss = last_loss_;
  summary.first_evaluation_loss = state_.first_evaluation;
  summary.evaluation = evaluation_;
  return summary;
}

}  // namespace

RunSummary train(const Configuration& configuration, bool resume, TrainObserver& observer) {
  if (configuration.train.threads > 0) set_threads(static_cast<int>(configuration.train.threads));
  return Run(configuration, observer).run(resume);
}

}  // namespace surprisal
