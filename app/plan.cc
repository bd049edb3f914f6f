// What a run will take: memory by kind, disk, arithmetic and time, without starting it.
#include "plan/plan.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "console.h"
#include "core/json.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::string config;
  std::uint64_t memory = 0;
  bool json = false;
};

struct Estimate {
  RunForecast forecast;
  std::uint64_t memory_given = 0;
  std::optional<std::int64_t> largest_micro_batch{};
  double peak_gflops = 0;

  double step_seconds(double share) const { return forecast.flops / (share * peak_gflops * 1e9); }
};

// Shares of the machine's peak between which training steps of usual sizes were measured
// (docs/benchmarks.md).
constexpr double kGoodShare = 0.65, kPoorShare = 0.4;

Estimate estimate(const Arguments& arguments, const Configuration& configuration) {
  LiveLine live;
  const RunSetup setup(configuration);
  Estimate estimate{.forecast = forecast(configuration, setup, [&](std::uint64_t done, std::uint64_t total) {
                      live.show(tokenising_text(done, total));
                    })};
  live.clear();
  estimate.memory_given = arguments.memory > 0
                              ? arguments.memory
                              : static_cast<std::uint64_t>(describe_machine().memory_available);
  estimate.largest_micro_batch =
      largest_micro_batch(configuration, setup,
                          estimate.memory_given - std::min(estimate.memory_given, estimate.forecast.program));
  estimate.peak_gflops = measure_f32_peak();
  return estimate;
}

void print_json(const Estimate& estimate) {
  const RunForecast& forecast = estimate.forecast;
  OrderedJson json{{"parameters", forecast.sizes.parameters},
                   {"trained_parameters", forecast.sizes.trained_parameters}};
  for (const MemoryUse& use : forecast.sizes.memory) json["memory"][use.kind] = use.bytes;
  json["memory"]["program"] = forecast.program;
  json["memory_total"] = forecast.memory();
  json["checkpoint_bytes"] = forecast.sizes.checkpoint;
  json["checkpoints_at_once"] =
      forecast.checkpoints == 0 ? OrderedJson(nullptr) : OrderedJson(forecast.checkpoints);
  json["memory_given"] = estimate.memory_given;
  json["largest_micro_batch_tokens"] =
      estimate.largest_micro_batch ? OrderedJson(*estimate.largest_micro_batch) : OrderedJson(nullptr);
  json["documents"] = forecast.data.documents;
  json["tokens"] = forecast.data.tokens;
  json["max_steps"] = forecast.max_steps;
  json["epochs"] = forecast.epochs;
  json["step"] = {{"tokens", forecast.tokens},
                  {"targets", forecast.targets},
                  {"micro_batches", forecast.micro_batches},
                  {"flop", forecast.flops}};
  json["peak_gflops"] = estimate.peak_gflops;
  json["step_seconds"] = {estimate.step_seconds(kGoodShare), estimate.step_seconds(kPoorShare)};
  fmt::print("{}\n", to_line(json));
}

void print_text(const Estimate& estimate) {
  const RunForecast& forecast = estimate.forecast;
  auto bytes = [](std::uint64_t count) { return human_bytes(static_cast<double>(count)); };
  fmt::print("parameters    {}\n", forecast.sizes.parameters);
  if (forecast.sizes.trained_parameters < forecast.sizes.parameters) {
    fmt::print("trained       {}\n", forecast.sizes.trained_parameters);
  }
  for (const MemoryUse& use : forecast.sizes.memory) fmt::print("  {:<12}{}\n", use.kind, bytes(use.bytes));
  fmt::print("  {:<12}{}\n", "program", bytes(forecast.program));
  const bool fits = forecast.memory() <= estimate.memory_given;
  fmt::print("memory        {}: {} {}\n", bytes(forecast.memory()), fits ? "fits into" : "does NOT fit into",
             bytes(estimate.memory_given));
  if (estimate.largest_micro_batch) {
    fmt::print("fits up to    --train.micro_batch_tokens {}\n", *estimate.largest_micro_batch);
  } else {
    fmt::print("fits up to    nothing: a smaller model, or a shorter data.sequence_length\n");
  }
  fmt::print("checkpoint    {} on disk", bytes(forecast.sizes.checkpoint));
  if (forecast.checkpoints > 0) {
    fmt::print(", {} for the {} that lie there at once",
               bytes(forecast.checkpoints * forecast.sizes.checkpoint), forecast.checkpoints);
  }
  fmt::print("\ndata          {}\n", to_text(forecast.data));
  fmt::print("step          {} tokens, {} of them scored, in {} micro-batches: {:.1f} GFLOP\n",
             forecast.tokens, forecast.targets, forecast.micro_batches, forecast.flops / 1e9);
  fmt::print("machine       {} threads, f32 peak {:.0f} GFLOP/s\n", threads(), estimate.peak_gflops);
  const double good = estimate.step_seconds(kGoodShare), poor = estimate.step_seconds(kPoorShare),
               steps = static_cast<double>(forecast.max_steps);
  fmt::print(
      "time          {:.3g} to {:.3g} s a step (at {:.0f} to {:.0f} % of the peak); {} steps, {:.2f} epochs: "
      "{} to {}\n",
      good, poor, 100 * kGoodShare, 100 * kPoorShare, forecast.max_steps, forecast.epochs,
      human_time(good * steps), human_time(poor * steps));
}

void plan_verb(const Arguments& arguments, const std::vector<std::string>& rest) {
  const Configuration configuration =
      with_class_names(Configuration::read(arguments.config, parse_overrides(rest)));
  const Estimate estimated = estimate(arguments, configuration);
  arguments.json ? print_json(estimated) : print_text(estimated);
}

}  // namespace

void add_plan(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb =
      app.add_subcommand("plan", "What a run will take: memory, disk and time, without starting it");
  verb->add_option("CONFIG", arguments->config, "the configuration, as for train")->required();
  verb->add_option("--memory", arguments->memory,
                   "bytes to fit into, such as 8GiB; what is free unless given")
      ->transform(CLI::AsSizeValue(false));
  verb->add_flag("--json", arguments->json, "as JSON");
  verb->allow_extras();
  verb->callback([arguments, verb] { plan_verb(*arguments, verb->remaining()); });
  verb->footer("Example: surprisal plan run.toml --memory 8GiB --train.micro_batch_tokens 4096");
}

}  // namespace surprisal
