// What adapting costs: steps of GPT-2 Medium on 4 x 128 tokens, half of them targets, that train a LoRA, a
// prefix, or all weights. Each model is freed before the next is made, so that the largest decides what
// memory is needed.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <span>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "adapt/adapter.h"
#include "command_line.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "core/random.h"
#include "infer/loss_sums.h"
#include "model/family.h"
#include "model/transformer.h"
#include "ops/gemm.h"
#include "report.h"
#include "stream/check.h"
#include "train/optimizer.h"

namespace surprisal::bench {
namespace {

constexpr std::int32_t kSequences = 4, kLength = 128;
constexpr std::int64_t kVocabulary = 50257;
constexpr const char* kCases[] = {"lora", "prefix", "full"};

struct Arguments {
  std::vector<std::string> cases;
  int repetitions = 5, threads = 0;
  bool json = false;
};

ModelConfig gpt2_medium() {
  ModelOptions options;
  options.family = "gpt2";
  options.hidden_size = 1024;
  options.num_hidden_layers = 24;
  options.num_attention_heads = 16;
  options.max_position_embeddings = 1024;
  return find_family("gpt2", "benchmark").from_options(options, kVocabulary, kLength);
}

AdapterOptions adapter_of(const std::string& name) {
  AdapterOptions options;
  if (name != "full") options.type = name;
  options.r = 4;
  options.target_modules = {"c_attn"};
  options.num_virtual_tokens = 10;
  return options;
}

ModelConfig config_of(const std::string& name) {
  ModelConfig config = gpt2_medium();
  config.adaptation = make_adaptation(adapter_of(name), config, "benchmark", ErrorKind::usage);
  return config;
}

// Pairs as `conditional` has them: the second half of each is the completion.
Stream pairs() {
  Random random({1, 0, 0, Purpose::sampling});
  const auto draw = [&] { return static_cast<std::int32_t>(random.below(std::uint32_t{kVocabulary})); };
  Stream stream;
  for (std::int32_t number = 0; number < kSequences; ++number) {
    const std::int32_t begin = stream.size();
    for (std::int32_t position = 0; position < kLength; ++position) {
      stream.token.push_back(draw());
      stream.position.push_back(position);
      stream.block_position.push_back(0);
      stream.segment.push_back(0);
      stream.visible.push_back({begin, begin + position + 1});
      if (position >= kLength / 2) stream.target.push_back({begin + position, draw(), 1});
    }
    stream.sequence.push_back(
        {.begin = begin, .end = begin + kLength, .sample = static_cast<std::uint64_t>(number)});
  }
  return stream;
}

Capacity capacity_of(const Stream& stream) {
  return {.tokens = stream.size(), .targets = std::ssize(stream.target)};
}

class Step {
 public:
  Step(const std::string& name, const Stream& stream)
      : stream_(stream), model_(config_of(name), Mode::train, capacity_of(stream)), optimizer_(model_) {
    const ModelConfig& config = model_.config();
    check_stream(stream,
                 {config.vocab_size, config.stream_positions(), config.type_vocab_size, config.classes},
                 "benchmark");
    model_.initialise(1);
  }

  // With a learning rate of 0 every step does all the work and leaves the weights as they are, so that each
  // must give the same loss to the last bit.
  double run() {
    LossSums sums;
    sums.add_weights(stream_);
    const double begin = seconds_since_start();
    model_.zero_gradients();
    set_surprisal_gradients(stream_, sums, {}, scale_);
    model_.accumulate_gradients(stream_, scale_.view(), nullptr, result_);
    const double norm = optimizer_.step(model_, options_, ++number_, 0.0);
    const double seconds = seconds_since_start() - begin;
    sums.add_result(stream_, result_);
    check(sums.loss({}), norm);
    return seconds;
  }

  double loss() const { return loss_; }
  double flops() const { return model_.flops(stream_, true); }
  std::int64_t trained() const { return model_.trained().table.count; }
  std::int64_t parameters() const { return model_.table().count; }
  std::span<const float> surprisals() const { return result_.token.surprisal; }

 private:
  void check(double loss, double norm) {
    if (!std::isfinite(loss) || !std::isfinite(norm)) throw std::runtime_error("the loss is not finite");
    if (number_ > 1 && loss != loss_) {
      throw std::runtime_error(fmt::format("a repetition gave another result: {} and {}", loss, loss_));
    }
    loss_ = loss;
  }

  const Stream& stream_;
  Transformer model_;
  Optimizer optimizer_;
  TrainOptions options_;
  SurprisalGradients scale_;
  StreamResult result_;
  std::int64_t number_ = 0;
  double loss_ = 0;
};

std::vector<float> surprisals_of_the_base(const Stream& stream) {
  Transformer base(gpt2_medium(), Mode::evaluate, capacity_of(stream));
  base.initialise(1);
  StreamResult result;
  base.evaluate(stream, result);
  return result.token.surprisal;
}

double mib(double bytes) {
  return bytes / (1 << 20);
}

// What a step may take, with 64 MiB for all scratch: the share of a model that has few trained parameters.
double allowed_memory(const std::string& name, const Stream& stream, std::int64_t trained) {
  double allowed = 3 * 4.0 * static_cast<double>(trained) + (64 << 20);
  for (const MemoryUse& use : Transformer::plan(config_of(name), Mode::train, capacity_of(stream))) {
    if (use.kind == "weights" || use.kind == "activations") allowed += static_cast<double>(use.bytes);
  }
  return allowed;
}

struct Measured {
  std::string name;
  std::vector<double> seconds{};
  std::int64_t trained = 0, parameters = 0;
  double flops = 0, peak_share = 0, peak_gflops = 0, loss = 0, memory = 0, allowed_memory = 0;
  std::vector<float> surprisals{};
  double median() const { return summarise(seconds).median; }
};

Measured measure(const std::string& name, const Stream& stream, int repetitions) {
  const auto before = static_cast<double>(anonymous_memory());
  Step step(name, stream);
  step.run();
  Peak peak;
  Measured measured{.name = name};
  for (int repetition = 0; repetition < repetitions; ++repetition) measured.seconds.push_back(step.run());
  peak.measure_again();
  // Nothing that a step touches is given back before its model is.
  measured.memory = static_cast<double>(anonymous_memory()) - before;
  measured.trained = step.trained();
  measured.parameters = step.parameters();
  measured.allowed_memory = allowed_memory(name, stream, measured.trained);
  measured.flops = step.flops();
  measured.peak_gflops = peak.gflops();
  measured.peak_share = peak.share(measured.flops, measured.median());
  measured.loss = step.loss();
  measured.surprisals.assign(step.surprisals().begin(), step.surprisals().end());
  return measured;
}

void print(const Measured& measured) {
  const Times times = summarise(measured.seconds);
  fmt::print("{:<6} {:.3f} % of {:.1f} M parameters trained, loss {:.6f}\n", measured.name,
             100 * static_cast<double>(measured.trained) / static_cast<double>(measured.parameters),
             static_cast<double>(measured.parameters) / 1e6, measured.loss);
  fmt::print(
      "  median {:.1f} ms, best {:.1f} ms; {:.1f} GFLOP needed, {:.1f} % of the peak of {:.0f} GFLOP/s\n",
      1e3 * times.median, 1e3 * times.best, measured.flops / 1e9, 100 * measured.peak_share,
      measured.peak_gflops);
  fmt::print("  memory {:.0f} MiB; weights + activations + 3 x trained + 64 MiB are {:.0f} MiB\n",
             mib(measured.memory), mib(measured.allowed_memory));
  std::fflush(stdout);
}

void print_json(const Measured& measured) {
  fmt::print(R"({{"case":"{}","seconds":[{}],"gflop":{},"peak_share":{},"memory":{}}})"
             "\n",
             measured.name, fmt::join(measured.seconds, ","), measured.flops / 1e9, measured.peak_share,
             measured.memory);
  std::fflush(stdout);
}

// B is zero: to the last bit nothing may have changed.
void check_untrained(const Measured& lora, const Stream& stream) {
  if (lora.surprisals != surprisals_of_the_base(stream)) {
    throw std::runtime_error("an untrained LoRA changed the loss");
  }
  fmt::print("  untrained, it changes no bit of the loss of {} targets\n", lora.surprisals.size());
}

void print_ratios(const std::vector<Measured>& all) {
  const auto full = std::ranges::find(all, "full", &Measured::name);
  if (full == all.end()) return;
  for (const Measured& measured : all) {
    if (measured.name == "full") continue;
    fmt::print("{} against all weights: {:.2f} times as fast, {:.2f} of its GFLOP, {:.2f} of its memory\n",
               measured.name, full->median() / measured.median(), measured.flops / full->flops,
               measured.memory / full->memory);
  }
}

Arguments parse(int argc, char** argv) {
  CLI::App app("Times steps of GPT-2 Medium that train a LoRA, a prefix, or all weights.");
  Arguments arguments;
  app.add_option("--case", arguments.cases, "which: lora, prefix, full; all unless given")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kCases), std::end(kCases))));
  app.add_option("--repetitions", arguments.repetitions, "timed steps a case")->check(CLI::PositiveNumber);
  app.add_option("--threads", arguments.threads, "all cores unless given")->check(CLI::PositiveNumber);
  app.add_flag("--json", arguments.json, "a line of JSON for each case");
  parse_or_exit(app, argc, argv);
  return arguments;
}

int run(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  if (arguments.threads > 0) set_threads(arguments.threads);
  if (!arguments.json) print_conditions(argc, argv);
  prepare_gemm();
  const Stream stream = pairs();
  std::vector<Measured> all;
  for (const char* name : kCases) {
    const bool wanted = arguments.cases.empty() || std::ranges::count(arguments.cases, name) > 0;
    if (!wanted) continue;
    all.push_back(measure(name, stream, arguments.repetitions));
    if (arguments.json) {
      print_json(all.back());
      continue;
    }
    print(all.back());
    if (all.back().name == "lora") check_untrained(all.back(), stream);
  }
  if (!arguments.json) print_ratios(all);
  return 0;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  return surprisal::bench::run_benchmark("adapters", &surprisal::bench::run, argc, argv);
}
