// What blank infilling costs: a training step of GLM-base on 8 x 512 tokens of text
//  - against a step with as many rows, visible pairs and targets that are causal;
//  - with half the text hidden from one another, to see that the cost follows the visible pairs;
//  - and how long its streams take to be built.
// The steps take turns, so that what else runs on the machine meets all of them.
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "surprisal/tokenizer.h"

#include "command_line.h"
#include "core/parallel.h"
#include "core/random.h"
#include "infer/loss_sums.h"
#include "model/family.h"
#include "objective/mixture.h"
#include "objective/sampler.h"
#include "ops/attention.h"
#include "report.h"
#include "stream/packing.h"
#include "train/optimizer.h"

namespace surprisal::bench {
namespace {

constexpr std::int64_t kLength = 512, kTexts = 8, kVocabulary = 30592;

struct Arguments {
  int repetitions = 5, threads = 0;
};

// Enough of a tokenizer for the objective: ids are random.
Tokenizer tokenizer_of_numbers() {
  std::string entries;
  for (int id = 0; id < 1000; ++id) entries += fmt::format("{}\"w{}\":{}", id > 0 ? "," : "", id, id);
  return add_glm_specials(Tokenizer::from_json(
      R"({"model":{"type":"WordLevel","vocab":{)" + entries + R"(},"unk_token":"w0"}})", "{}", "benchmark"));
}

TokenCorpus random_corpus(std::uint64_t documents) {
  Random random({1, 0, 0, Purpose::sampling});
  std::vector<TokenCorpus::Ids> ids(documents);
  for (TokenCorpus::Ids& document : ids) {
    for (std::int64_t token = 0; token < kLength - 2; ++token) {
      document.tokens.push_back(static_cast<std::int32_t>(random.below(1000)));
    }
  }
  return TokenCorpus::from_ids(ids);
}

// Rows that see as many keys in all as those of `like`, each what stands before it: sequences of as equal
// lengths as that allows. Targets at the same rows.
Stream causal_twin(const Stream& like) {
  Stream twin = like;
  const std::int64_t pairs = visible_pairs(like.visible), rows = like.size();
  // n rows in sequences of length l have n (l + 1) / 2 pairs.
  const std::int64_t length = std::min(rows, 2 * pairs / rows - 1);
  twin.sequence.clear();
  for (std::int32_t begin = 0; begin < rows; begin += static_cast<std::int32_t>(length)) {
    const auto end = static_cast<std::int32_t>(std::min<std::int64_t>(begin + length, rows));
    for (std::int32_t row = begin; row < end; ++row) {
      twin.visible[static_cast<std::size_t>(row)] = {begin, row + 1};
      twin.position[static_cast<std::size_t>(row)] = (row - begin) % static_cast<std::int32_t>(kLength);
      twin.block_position[static_cast<std::size_t>(row)] = 0;
    }
    twin.sequence.push_back({.begin = begin, .end = end});
  }
  return twin;
}

// The same rows and targets, but of its own sequence each row sees only what stands before it.
Stream half_as_visible(const Stream& like) {
  Stream half = like;
  for (const Sequence& sequence : like.sequence) {
    for (std::int32_t row = sequence.begin; row < sequence.end; ++row)
      half.visible[static_cast<std::size_t>(row)] = {sequence.begin, row + 1};
  }
  return half;
}

class Step {
 public:
  Step(Transformer& model, Optimizer& optimizer, const Stream& stream)
      : model_(model), optimizer_(optimizer), stream_(stream) {}

  // With a learning rate of 0 every step does all the work and leaves the weights as they are.
  void run() {
    LossSums sums;
    sums.add_weights(stream_);
    const double begin = seconds_since_start();
    model_.zero_gradients();
    set_surprisal_gradients(stream_, sums, {}, scale_);
    model_.accumulate_gradients(stream_, scale_.view(), nullptr, result_);
    optimizer_.step(model_, options_, 1, 0.0);
    seconds_.push_back(seconds_since_start() - begin);
    sums.add_result(stream_, result_);
    if (!std::isfinite(sums.loss({}))) throw std::runtime_error("the loss is not finite");
  }
  Times times() const { return summarise(seconds_); }
  double flops() const { return model_.flops(stream_, true); }
  const Stream& stream() const { return stream_; }

 private:
  Transformer& model_;
  Optimizer& optimizer_;
  const Stream& stream_;
  TrainOptions options_;
  SurprisalGradients scale_;
  StreamResult result_;
  std::vector<double> seconds_;
};

void print(const char* name, const Step& step, const Step& base, const Peak& peak) {
  fmt::print(
      "{:<32} {} rows, {:.2f} M pairs, {} targets: {:6.0f} ms median = {:.3f} x, {:.1f} GFLOP = {:.3f} x, "
      "{:.1f} % of peak\n",
      name, step.stream().size(), static_cast<double>(visible_pairs(step.stream().visible)) / 1e6,
      step.stream().target.size(), 1e3 * step.times().median, step.times().median / base.times().median,
      step.flops() / 1e9, step.flops() / base.flops(), 100 * peak.share(step.flops(), step.times().median));
}

// Seconds of a stream, over an epoch.
double seconds_of_a_stream(Sampler& sampler) {
  Stream stream;
  const int streams = 200;
  const double begin = seconds_since_start();
  for (int i = 0; i < streams; ++i) sampler.next(stream);
  return (seconds_since_start() - begin) / streams;
}

int run(int argc, char** argv) {
  CLI::App app("Times a step of blank infilling against a causal one.");
  Arguments arguments;
  app.add_option("--repetitions", arguments.repetitions)->check(CLI::PositiveNumber);
  app.add_option("--threads", arguments.threads, "all cores unless given")->check(CLI::PositiveNumber);
  parse_or_exit(app, argc, argv);
  if (arguments.threads > 0) set_threads(arguments.threads);
  print_conditions(argc, argv);
  const Tokenizer tokenizer = tokenizer_of_numbers();
  const TokenCorpus corpus = random_corpus(64 * kTexts);
  const Mixture mixture("blank_infilling", {}, tokenizer, kLength);
  Sampler sampler(corpus, mixture, 1, static_cast<std::int32_t>(kTexts * mixture.extent().rows),
                  SampleOrder::as_written);
  Stream stream;
  for_each_sample(corpus, mixture, 1, 0, true, [&](const Stream& sample) {
    append(stream, sample);
    return std::ssize(stream.sequence) < kTexts;
  });
  const Stream twin = causal_twin(stream), half = half_as_visible(stream);
  ModelOptions options;
  options.family = "glm";
  options.hidden_size = 768;
  options.num_hidden_layers = 12;
  options.num_attention_heads = 12;
  options.max_position_embeddings = kLength;
  const ModelConfig config = find_family("glm", "benchmark").from_options(options, kVocabulary, kLength);
  Transformer model(config, Mode::train, {.tokens = stream.size()});
  model.initialise(1);
  Optimizer optimizer(model);
  Step infilling(model, optimizer, stream), causal(model, optimizer, twin), less(model, optimizer, half);
  infilling.run();
  Step timed(model, optimizer, stream);
  Peak peak;
  for (int repetition = 0; repetition < arguments.repetitions; ++repetition) {
    for (Step* step : {&timed, &causal, &less}) step->run();
  }
  peak.measure_again();
  print("blank infilling", timed, causal, peak);
  print("causal, as many pairs", causal, causal, peak);
  print("the same rows, fewer pairs", less, causal, peak);
  const double building = seconds_of_a_stream(sampler);
  fmt::print("building a stream of as many texts: {:.3f} ms = {:.4f} % of the step\n", 1e3 * building,
             100 * building / timed.times().median);
  return 0;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  return surprisal::bench::run_benchmark("blank_infilling", &surprisal::bench::run, argc, argv);
}
