// A whole training step of models at their published sizes: time, tokens/s, and the share of the FMA peak.
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include <fmt/format.h>

#include "command_line.h"
#include "core/parallel.h"
#include "infer/loss_sums.h"
#include "model/transformer.h"
#include "report.h"
#include "stream/check.h"
#include "train/optimizer.h"
#include "training_cases.h"

namespace surprisal::bench {
namespace {

struct Arguments {
  std::vector<std::string> cases;
  int repetitions = 7;
  int threads = 0;
  bool dropout = false;
};

struct StepTimes {
  std::vector<double> gradients, optimizer, step;
};

class Step {
 public:
  Step(const TrainingCase& c, bool dropout)
      : stream_(stream_of(c)),
        model_(model_of(c), Mode::train,
               {.tokens = stream_.size(),
                .targets = static_cast<std::int64_t>(stream_.target.size()),
                .labels = static_cast<std::int64_t>(stream_.label.size())}),
        optimizer_(model_),
        dropout_(dropout) {
    const ModelConfig& config = model_.config();
    check_stream(stream_,
                 {config.vocab_size, config.max_position_embeddings, config.type_vocab_size, config.classes},
                 c.name);
    model_.initialise(1);
  }

  // With a learning rate of 0 every step does all the work and leaves the weights as they are, so that each
  // must give the same loss to the last bit.
  void run(StepTimes& times) {
    LossSums sums;
    sums.add_weights(stream_);
    double begin = seconds_since_start();
    model_.zero_gradients();
    set_surprisal_gradients(stream_, sums, {}, scale_);
    model_.accumulate_gradients(stream_, scale_.view(), dropout_ ? &kSeed : nullptr, result_);
    double middle = seconds_since_start();
    double norm = optimizer_.step(model_, options_, ++number_, 0.0);
    double end = seconds_since_start();
    times.gradients.push_back(middle - begin);
    times.optimizer.push_back(end - middle);
    times.step.push_back(end - begin);
    sums.add_result(stream_, result_);
    check(sums.loss({}), norm);
  }

  double loss() const { return loss_; }
  double flops() const { return model_.flops(stream_, true); }
  std::int64_t tokens() const { return stream_.size(); }

 private:
  void check(double loss, double norm) {
    if (!std::isfinite(loss) || !std::isfinite(norm)) throw std::runtime_error("the loss is not finite");
    if (number_ > 1 && (loss != loss_ || norm != norm_)) {
      throw std::runtime_error(fmt::format("a repetition gave another result: {} and {}", loss, loss_));
    }
    loss_ = loss;
    norm_ = norm;
  }

  static constexpr std::uint64_t kSeed = 1;
  Stream stream_;
  Transformer model_;
  Optimizer optimizer_;
  TrainOptions options_;
  SurprisalGradients scale_;
  StreamResult result_;
  bool dropout_;
  std::int64_t number_ = 0;
  double loss_ = 0, norm_ = 0;
};

void print(const TrainingCase& c, const Step& step, const StepTimes& times, const Peak& peak) {
  Times whole = summarise(times.step), gradients = summarise(times.gradients),
        optimizer = summarise(times.optimizer);
  auto rates = [&](double seconds) {
    return fmt::format("{:8.1f} ms  {:6.0f} tok/s  {:5.0f} GFLOP/s  {:4.1f} % of peak", 1e3 * seconds,
                       static_cast<double>(step.tokens()) / seconds, step.flops() / seconds / 1e9,
                       100 * peak.share(step.flops(), seconds));
  };
  fmt::print("{}  {:.1f} GFLOP a step, peak {:.0f} GFLOP/s, loss {:.6f}\n", c.name, step.flops() / 1e9,
             peak.gflops(), step.loss());
  fmt::print("  median {}\n  best   {}\n", rates(whole.median), rates(whole.best));
  fmt::print("  forward and backward {:.1f} ms ({:.1f} % of peak), clipping and AdamW {:.1f} ms\n",
             1e3 * gradients.median, 100 * peak.share(step.flops(), gradients.median),
             1e3 * optimizer.median);
  std::fflush(stdout);
}

void time_case(const TrainingCase& c, const Arguments& arguments) {
  Step step(c, arguments.dropout);
  StepTimes warm_up, times;
  step.run(warm_up);
  Peak peak;
  for (int repetition = 0; repetition < arguments.repetitions; ++repetition) step.run(times);
  peak.measure_again();
  print(c, step, times, peak);
}

Arguments parse(int argc, char** argv) {
  CLI::App app("Times a training step: forward, backward, clipping and AdamW.");
  Arguments arguments;
  std::vector<std::string> names;
  for (const TrainingCase& c : training_cases()) names.push_back(c.name);
  app.add_option("--case", arguments.cases, "which, all unless given")->check(CLI::IsMember(names));
  app.add_option("--repetitions", arguments.repetitions, "timed steps a case")->check(CLI::PositiveNumber);
  app.add_option("--threads", arguments.threads, "all cores unless given")->check(CLI::PositiveNumber);
  app.add_flag("--dropout", arguments.dropout,
               "with dropout 0.1, as a run has it; without, as others measure");
  parse_or_exit(app, argc, argv);
  return arguments;
}

int run(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  if (arguments.threads > 0) set_threads(arguments.threads);
  print_conditions(argc, argv);
  for (const TrainingCase& c : training_cases()) {
    bool wanted = arguments.cases.empty();
    for (const std::string& name : arguments.cases) wanted |= name == c.name;
    if (wanted) time_case(c, arguments);
  }
  return 0;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  return surprisal::bench::run_benchmark("training_step", &surprisal::bench::run, argc, argv);
}
