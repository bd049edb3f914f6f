#include <csignal>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "surprisal/error.h"

#include "console.h"
#include "core/json.h"
#include "train/options.h"
#include "train/run_log.h"
#include "train/signals.h"
#include "train/trainer.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::string config;
  bool resume = false, json = false, keys = false;
};

std::string memory_text(const RunPlan& plan) {
  std::string text;
  for (const MemoryUse& use : plan.memory) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", use.kind,
                        human_bytes(static_cast<double>(use.bytes)));
  }
  return text;
}

// Shows a run on stderr: one live line on a terminal, a plain line an interval elsewhere.
class Progress : public TrainObserver {
 public:
  explicit Progress(std::int64_t interval) : interval_(interval) {}

  void message(const std::string& text) override { line(text); }

  void tokenising(std::uint64_t done, std::uint64_t total) override {
    live_.show(tokenising_text(done, total));
  }

  void planned(const RunPlan& plan) override {
    line(fmt::format("objective   {}", plan.objective));
    corpus("data", plan.data);
    if (plan.validation) corpus("held out", *plan.validation);
    if (plan.trained_parameters < plan.parameters) {
      line(fmt::format(
          "trained     {} ({}, {:.3g} % of all)", plan.trained_parameters,
          human_count(static_cast<double>(plan.trained_parameters)),
          100 * static_cast<double>(plan.trained_parameters) / static_cast<double>(plan.parameters)));
    }
    line(fmt::format("parameters  {} ({})", plan.parameters,
                     human_count(static_cast<double>(plan.parameters))));
    line(fmt::format("memory      {}: {}", human_bytes(static_cast<double>(plan.memory_total)),
                     memory_text(plan)));
    line(fmt::format("checkpoint  {} on disk", human_bytes(static_cast<double>(plan.checkpoint_bytes))));
    line(fmt::format("steps       {} of {} tokens in {} micro-batch{}, {:.2f} epochs", plan.max_steps,
                     plan.tokens_per_step, plan.micro_batches, plan.micro_batches == 1 ? "" : "es",
                     plan.epochs));
    line(fmt::format("machine     {} thread{}, f32 peak {:.0f} GFLOP/s", plan.threads,
                     plan.threads == 1 ? "" : "s", plan.peak_gflops));
  }

  void stepped(const StepReport& report) override {
    std::string text = fmt::format(
        "step {}/{} loss {:.4f} lr {:.2e} |g| {:.2f} {} tok/s {:.0f}% of peak ETA {}", report.step,
        report.max_steps, report.loss, report.learning_rate, report.gradient_norm,
        human_count(report.tokens_per_second), 100 * report.share_of_peak, human_time(report.eta_seconds));
    if (stderr_is_terminal()) {
      live_.show(text);
    } else if (report.step % interval_ == 0 || report.step == report.max_steps) {
      say(text);
    }
  }

  void evaluated(std::int64_t step, const std::string& objective, const Evaluation& evaluation,
                 bool best) override {
    std::string text =
        fmt::format("step {} held-out {}loss {:.4f}", step,
                    objective.empty() ? "" : fmt::format("\"{}\" ", objective), evaluation.loss);
    text += terms(evaluation);
    for (const auto& [name, accuracy] : {std::pair{"token", evaluation.token_accuracy},
                                         {"label", evaluation.label_accuracy},
                                         {"choice", evaluation.choice_accuracy}}) {
      if (accuracy) text += fmt::format(", {} accuracy {:.1f}%", name, 100 * *accuracy);
    }
    for (const Metric& metric : evaluation.metrics)
      text += fmt::format(", {} {:.4f}", metric.name, metric.value);
    if (evaluation.bits_per_byte) text += fmt::format(", {:.3f} bits a byte", *evaluation.bits_per_byte);
    line(text + (best ? ", the best so far" : ""));
  }

  void sampled(const std::string& objective, const std::string& text) override {
    line(fmt::format("sample ({}): {}", objective, to_line(text)));
  }

  void stopped(const RunSummary& summary) {
    line(fmt::format("stopped by signal {} after step {}; --resume goes on", summary.stopped_by,
                     summary.steps));
  }

  void saved(const std::string& directory) override { line(fmt::format("saved {}", directory)); }

 private:
  // " (token 2.0000, label 0.5000)" where the loss has several terms.
  static std::string terms(const Evaluation& evaluation) {
    std::vector<std::string> present;
    for (const auto& [name, sum] :
         {std::pair{"token", evaluation.token}, {"label", evaluation.label}, {"choice", evaluation.choice}}) {
      if (sum.weight > 0) present.push_back(fmt::format("{} {:.4f}", name, sum.mean()));
    }
    return present.size() < 2 ? "" : fmt::format(" ({})", fmt::join(present, ", "));
  }
  void corpus(const char* name, const CorpusReport& report) {
    line(fmt::format("{:<11} {}", name, to_text(report)));
    if (std::string skips = skips_text(report); !skips.empty()) line(fmt::format("{:<11} {}", "", skips));
  }
  void line(const std::string& text) {
    live_.clear();
    say(text);
  }

  std::int64_t interval_;
  LiveLine live_;
};

void print_keys() {
  Configuration configuration;
  std::string table;
  for (const FieldHelp& field :
       describe_options([&](OptionVisitor& visitor) { configuration.visit(visitor); })) {
    std::string type = field.range.empty() ? field.type : fmt::format("{} in {}", field.type, field.range);
    fmt::print("{:<44} {}{}\n    {}\n", field.key, type,
               field.default_value.empty() ? ", required" : fmt::format(", default {}", field.default_value),
               field.help);
  }
}

// Returns the signal that ended the run early, or 0.
int train_verb(const Arguments& arguments, const std::vector<std::string>& rest) {
  if (arguments.keys) {
    print_keys();
    return 0;
  }
  if (arguments.config.empty()) {
    throw Error(ErrorKind::usage, {.what = "no configuration is given",
                                   .expected = "surprisal train CONFIG.toml",
                                   .fix = "surprisal train --keys lists every key"});
  }
  Configuration configuration = Configuration::read(arguments.config, parse_overrides(rest));
  Progress progress(configuration.train.logging_steps);
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads the progress may go before the run ends
  Requests requests;
  SignalRequests signals(requests);
  RunSummary summary = train(configuration, arguments.resume, progress, &requests);
  if (summary.stopped_by != 0) {
    progress.stopped(summary);
  } else if (arguments.json) {
    fmt::print("{}", summary_text(summary));
  } else {
    fmt::print("{}\n", configuration.run.directory);
  }
  return summary.stopped_by;
}

}  // namespace

void add_train(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("train", "Train a model as a TOML file says");
  verb->add_option("CONFIG", arguments->config, "the configuration");
  verb->add_flag("--resume", arguments->resume, "go on from the run directory's latest checkpoint");
  verb->add_flag("--json", arguments->json, "print the summary as JSON at the end");
  verb->add_flag("--keys", arguments->keys, "list every key of the configuration with its default");
  verb->allow_extras();
  verb->callback([arguments, verb] {
    // 128 + the signal's number is what a shell reports of a program that one ended.
    if (int signal = train_verb(*arguments, verb->remaining())) throw CLI::RuntimeError(128 + signal);
  });
  verb->footer(
      "Every key is also an option: --section.key VALUE, where VALUE is TOML (--data.train "
      "'[\"a\",\"b\"]').\n"
      "Example: surprisal train run.toml --train.learning_rate 3e-4 --run.directory runs/second");
}

}  // namespace surprisal
