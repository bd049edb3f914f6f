// Generation through the key-value cache: tokens/s against what the machine's memory could give, if nothing
// but the weights (once a step, however many texts grow) and the cached keys and values were read.
#include "infer/decoding.h"

#include <cmath>
#include <cstdio>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "command_line.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "report.h"
#include "training_cases.h"

namespace surprisal::bench {
namespace {

struct Arguments {
  int tokens = 48, repetitions = 3, threads = 0;
};

struct DecodingCase {
  std::int32_t context, texts;
};
constexpr DecodingCase kCases[] = {{16, 1}, {900, 1}, {16, 4}, {16, 16}, {16, 32}};

// Every weight but the tables of which single rows are read. The token embedding is the head's matrix too.
double weight_bytes(const Transformer& model) {
  double bytes = 0;
  for (const Parameter& parameter : model.table().parameters) {
    if (parameter.name.find("position") == std::string::npos)
      bytes += 4.0 * static_cast<double>(parameter.shape.elements());
  }
  return bytes;
}

double cache_bytes(const ModelConfig& config, const DecodingCase& c, std::int32_t token) {
  return static_cast<double>(KeyValueCache::bytes(config, c.context + token)) * c.texts;
}

std::vector<DecodingRow> context_of(std::int32_t size) {
  std::vector<DecodingRow> rows;
  for (std::int32_t row = 0; row < size; ++row) rows.push_back({.token = 100 + row, .position = row});
  return rows;
}

struct Decoded {
  double seconds = 0, bytes = 0;
  std::vector<float> logits;
};

// `tokens` rows behind the context, for each text.
Decoded decode(Transformer& model, const DecodingCase& c, int tokens) {
  Decoding decoding(model, c.texts, c.context + tokens);
  decoding.begin(context_of(c.context), ContextSight::before);
  std::vector<std::int32_t> texts(static_cast<std::size_t>(c.texts));
  std::iota(texts.begin(), texts.end(), 0);
  std::vector<DecodingRow> rows(texts.size());
  Decoded decoded;
  const double begin = seconds_since_start();
  for (std::int32_t token = 0; token < tokens; ++token) {
    for (std::size_t text = 0; text < rows.size(); ++text)
      rows[text] = {static_cast<std::int32_t>(text) + 10 * token, c.context + token};
    decoding.extend(texts, rows);
    decoded.bytes += weight_bytes(model) + cache_bytes(model.config(), c, token);
  }
  decoded.seconds = seconds_since_start() - begin;
  decoded.logits.assign(decoding.logits(0).begin(), decoding.logits(0).end());
  return decoded;
}

// The last token's logits are those of the whole text.
void check(Transformer& model, const DecodingCase& c, int tokens, const std::vector<float>& logits) {
  Stream stream;
  for (std::int32_t row = 0; row < c.context + tokens; ++row) {
    stream.token.push_back(row < c.context ? 100 + row : 10 * (row - c.context));
    stream.position.push_back(row);
    stream.visible.push_back({0, row + 1});
  }
  stream.block_position.assign(stream.token.size(), 0);
  stream.segment.assign(stream.token.size(), 0);
  stream.sequence.push_back({.begin = 0, .end = stream.size()});
  StreamResult result;
  model.evaluate(stream, result);
  std::vector<float> whole(logits.size());
  model.logits(std::vector<std::int32_t>{stream.size() - 1}, whole);
  double worst = 0;
  for (std::size_t id = 0; id < whole.size(); ++id)
    worst = std::max(worst, std::abs(double{whole[id]} - logits[id]));
  if (!(worst < 1e-4))
    throw std::runtime_error(fmt::format("a logit differs by {} from the whole text's", worst));
}

void time_case(Transformer& model, const DecodingCase& c, const Arguments& arguments) {
  std::vector<double> seconds;
  Decoded decoded;
  double bandwidth = measure_read_bandwidth();
  for (int repetition = 0; repetition < arguments.repetitions; ++repetition) {
    decoded = decode(model, c, arguments.tokens);
    seconds.push_back(decoded.seconds);
    bandwidth = std::max(bandwidth, measure_read_bandwidth());
  }
  check(model, c, arguments.tokens, decoded.logits);
  const Times times = summarise(seconds);
  const double drawn = static_cast<double>(c.texts) * arguments.tokens;
  fmt::print(
      "{} texts behind {} tokens: {:.1f} tok/s median, {:.1f} best; {:.1f} GB/s = {:.0f} % (best {:.0f} %) "
      "of "
      "{:.1f} GB/s\n",
      c.texts, c.context, drawn / times.median, drawn / times.best, decoded.bytes / times.median / 1e9,
      100 * decoded.bytes / times.median / 1e9 / bandwidth,
      100 * decoded.bytes / times.best / 1e9 / bandwidth, bandwidth);
  std::fflush(stdout);
}

int run(int argc, char** argv) {
  CLI::App app("Times generation by GPT-2 124M with random weights, against the memory's bandwidth.");
  Arguments arguments;
  app.add_option("--tokens", arguments.tokens, "of each text")->check(CLI::Range(1, 100));
  app.add_option("--repetitions", arguments.repetitions)->check(CLI::PositiveNumber);
  app.add_option("--threads", arguments.threads, "all cores unless given")->check(CLI::PositiveNumber);
  parse_or_exit(app, argc, argv);
  if (arguments.threads > 0) set_threads(arguments.threads);
  print_conditions(argc, argv);
  const ModelConfig config = model_of(training_cases().front());
  Transformer model(config, Mode::evaluate, {.tokens = 1024, .targets = 64});
  model.initialise(1);
  for (const DecodingCase& c : kCases) time_case(model, c, arguments);
  return 0;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  return surprisal::bench::run_benchmark("decoding", &surprisal::bench::run, argc, argv);
}
