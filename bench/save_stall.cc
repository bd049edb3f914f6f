// What a save takes from the steps around it: BERT-base, whose checkpoint has 1.2 GiB, saved while it trains.
// The stall is the call that copies the state; then the file is written beside the next steps, which share
// cores and memory with it.
#include <cstdlib>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "surprisal/tokenizer.h"

#include "command_line.h"
#include "core/parallel.h"
#include "infer/loss_sums.h"
#include "report.h"
#include "train/checkpoint_writer.h"
#include "training_cases.h"

namespace surprisal::bench {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string directory = ".";
  int saves = 3, quiet_steps = 3;
};

template <class Function>
double seconds_of(Function&& function) {
  const double begin = seconds_since_start();
  function();
  return seconds_since_start() - begin;
}

class TrainingModel {
 public:
  explicit TrainingModel(const TrainingCase& c)
      : stream_(stream_of(c)), model_(model_of(c), Mode::train, {.tokens = stream_.size()}, 64u << 20) {
    model_.initialise(1);
  }
  void step() {
    LossSums sums(1);
    sums.add_weights(stream_);
    model_.zero_gradients();
    set_surprisal_gradients(stream_, sums, {}, scale_);
    model_.accumulate_gradients(stream_, scale_.view(), nullptr, result_);
    optimizer_.step(model_, options_, ++number_, 1e-5);
  }
  Transformer& model() { return model_; }
  Optimizer& optimizer() { return optimizer_; }
  const TrainOptions& options() const { return options_; }
  std::int64_t number() const { return number_; }

 private:
  Stream stream_;
  Transformer model_;
  Optimizer optimizer_{model_};
  TrainOptions options_;
  SurprisalGradients scale_;
  StreamResult result_;
  std::int64_t number_ = 0;
};

// The least that a copy of the state can take: as many bytes, on all threads, into pages that are there.
double copy_seconds(std::span<const float> weights) {
  std::vector<float> to(weights.size());
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    best = std::min(best, seconds_of([&] {
                      parallel_ranges(std::ssize(weights), 1 << 18, [&](auto begin, auto end, int) {
                        std::copy(weights.begin() + begin, weights.begin() + end, to.begin() + begin);
                      });
                    }));
  }
  return 3 * best;  // weights and two moments
}

struct Saved {
  double call = 0, written = 0;  // seconds of save(), and until the checkpoint was committed
  std::vector<double> steps{};   // those beside the write
};

Saved save(TrainingModel& training, CheckpointWriter& writer) {
  Saved saved;
  const double begin = seconds_since_start();
  saved.call = seconds_of([&] { writer.save({.step = training.number()}, {.limit = 1}); });
  std::optional<CheckpointWriter::Outcome> outcome;
  while (!(outcome = writer.poll())) saved.steps.push_back(seconds_of([&] { training.step(); }));
  saved.written = seconds_since_start() - begin;
  if (outcome->failure) std::rethrow_exception(outcome->failure);
  return saved;
}

void print(double quiet, double copy, const Saved& saved) {
  double beside = 0;
  for (double seconds : saved.steps) beside += seconds;
  const double taken = beside - quiet * static_cast<double>(saved.steps.size());
  fmt::print(
      "step {:.2f} s; save() {:.3f} s = {:.2f} x the plain copy of the state ({:.3f} s); {} steps beside the "
      "write, "
      "{:.2f} x a quiet one: {:.2f} s taken in all; committed after {:.2f} s\n",
      quiet, saved.call, saved.call / copy, copy, saved.steps.size(),
      beside / quiet / static_cast<double>(std::max<std::size_t>(1, saved.steps.size())), taken,
      saved.written);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  CLI::App app("Times what a save takes from training.");
  Arguments arguments;
  app.add_option("--directory", arguments.directory, "on the disk that is written to; here unless given");
  app.add_option("--saves", arguments.saves)->check(CLI::PositiveNumber);
  app.add_option("--quiet-steps", arguments.quiet_steps, "before each save")->check(CLI::PositiveNumber);
  parse_or_exit(app, argc, argv);
  print_conditions(argc, argv);
  const Tokenizer tokenizer = Tokenizer::from_json(
      R"({"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}})", "{}", "benchmark");
  std::string pattern = (fs::path(arguments.directory) / "save-stall-XXXXXX").string();
  const RunDirectory directory(mkdtemp(pattern.data()));
  TrainingModel training(training_cases().back());
  const CheckpointAdapter none;
  CheckpointWriter writer(directory, training.model(), training.optimizer(), tokenizer, training.options(),
                          none);
  training.step();
  for (int round = 0; round < arguments.saves; ++round) {
    std::vector<double> quiet;
    for (int i = 0; i < arguments.quiet_steps; ++i) quiet.push_back(seconds_of([&] { training.step(); }));
    print(summarise(quiet).median, copy_seconds(training.model().weights()), save(training, writer));
  }
  fs::remove_all(directory.path());
  return 0;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  return surprisal::bench::run_benchmark("save_stall", &surprisal::bench::run, argc, argv);
}
