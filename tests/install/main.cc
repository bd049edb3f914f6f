// What a user of the installed library does, through its public headers alone: learns a tokenizer, trains two
// steps on a text, and asks the model for scores, losses and gradients.
//   consumer DIRECTORY
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "surprisal/surprisal.h"

namespace fs = std::filesystem;
using namespace surprisal;

namespace {

// Throws rather than exits, so that what went wrong is said in one place.
void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("not so: " + what);
}

bool near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::max({1.0, std::abs(a), std::abs(b)});
}

constexpr const char* kText = "the cat sat on the mat. the dog sat on the log, and the cat saw it.";

constexpr const char* kRun = R"(
[data]
sequence_length = 16
[objective]
train = "causal"
[model]
family = "gpt2"
hidden_size = 16
num_hidden_layers = 1
num_attention_heads = 2
[train]
tokens_per_step = 32
micro_batch_tokens = 32
)";

struct Counts : TrainObserver {
  int plans = 0, steps = 0, saves = 0;
  double loss = 0;
  void planned(const RunPlan& plan) override { plans += plan.parameters > 0 && plan.memory_total > 0; }
  void stepped(const StepReport& report) override {
    ++steps;
    loss = report.loss;
  }
  void saved(const std::string&) override { ++saves; }
};

void learn_tokenizer(const fs::path& directory) {
  std::ofstream file(directory / "text.txt");
  for (int document = 0; document < 20; ++document) file << kText << "\n\n";
  file.close();
  Tokenizer tokenizer = train_tokenizer({directory / "text.txt"}, {.type = "bpe", .vocab_size = 280});
  fs::create_directories(directory / "tokenizer");
  tokenizer.save(directory / "tokenizer");
  std::vector<std::int32_t> ids;
  tokenizer.encode(kText, ids);
  require(tokenizer.decode(ids) == kText, "decoding gives the text back");
}

fs::path train_two_steps(const fs::path& directory) {
  const auto configuration = TrainConfiguration::from_toml(kRun, "consumer",
                                                           {{"run.directory", directory / "run"},
                                                            {"data.train", directory / "text.txt"},
                                                            {"tokenizer.path", directory / "tokenizer"},
                                                            {"train.max_steps", "2"}});
  require(
      TrainConfiguration::from_toml(configuration.to_toml(), "again").to_toml() == configuration.to_toml(),
      "a resolved configuration reads back as itself");
  Counts counts;
  const RunSummary summary = train(configuration, false, counts);
  require(summary.steps == 2 && summary.stopped_by == 0, "two steps");
  require(counts.plans == 1 && counts.steps == 2 && counts.saves >= 1, "the observer is told");
  require(counts.loss > 0 && counts.loss < 20, "a loss of a model that knows nothing");
  return fs::path(configuration.directory()) / "latest";
}

void score_text(Model& model) {
  const Score whole = score(model, kText);
  require(whole.rule == "windows" && whole.bytes == std::string(kText).size(), "rule and bytes");
  double nats = 0;
  const std::vector<TokenSurprisal> each = token_surprisals(model, kText);
  for (const TokenSurprisal& token : each) nats += token.nats;
  require(each.size() == whole.tokens, "as many tokens as are scored");
  require(near(nats, whole.nats, 1e-5), "tokens add up to the text");
  require(each.front().begin == 0 && each.back().begin == whole.bytes, "places in the text");
  const double uniform = std::log(static_cast<double>(model.description().vocab_size));
  require(near(whole.nats / static_cast<double>(whole.tokens), uniform, 0.2), "near log V after two steps");
}

// d(loss)/d(bias of the last norm) by a difference would need to change weights; the norm's bias gradient is
// held against what must be so for any model: a weight of 2 for all targets changes nothing.
void differentiate(Model& model) {
  std::vector<std::int32_t> ids;
  model.tokenizer().encode("the cat", ids);
  Stream stream;
  const auto size = static_cast<std::int32_t>(ids.size());
  for (std::int32_t row = 0; row < size; ++row) {
    stream.token.push_back(ids[static_cast<std::size_t>(row)]);
    stream.position.push_back(row);
    stream.block_position.push_back(0);
    stream.segment.push_back(0);
    stream.visible.push_back({0, row + 1});
    if (row + 1 < size) stream.target.push_back({row, ids[static_cast<std::size_t>(row) + 1], 1});
  }
  stream.sequence.push_back({.begin = 0, .end = size});
  const StreamLoss plain = loss(model, {&stream, 1});
  std::vector<Gradient> once, twice;
  require(near(loss(model, {&stream, 1}, once).loss, plain.loss, 1e-6), "gradients change no loss");
  require(plain.surprisal.size() == stream.target.size(), "one surprisal a target");
  for (Target& target : stream.target) target.weight = 2;
  require(near(loss(model, {&stream, 1}, twice).loss, plain.loss, 1e-6), "weights are divided out");
  require(once.size() == twice.size() && !once.empty(), "every tensor has a gradient");
  double sum = 0;
  for (std::size_t tensor = 0; tensor < once.size(); ++tensor) {
    for (std::size_t i = 0; i < once[tensor].values.size(); ++i) {
      sum += std::abs(once[tensor].values[i]);
      require(near(once[tensor].values[i], twice[tensor].values[i], 1e-5), once[tensor].name);
    }
  }
  require(sum > 0, "some gradient is not 0");
}

template <class Action>
void refused(ErrorKind kind, const std::string& part, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    require(error.kind() == kind, std::string("kind of: ") + error.what());
    require(std::string(error.what()).find(part) != std::string::npos, part + " in: " + error.what());
    return;
  }
  require(false, "an Error about " + part);
}

void meet_errors(Model& model, const fs::path& directory) {
  refused(ErrorKind::data, "consumer.json", [] { Tokenizer::from_json("{}", "", "consumer.json"); });
  refused(ErrorKind::usage, "train.learning_rate",
          [] { TrainConfiguration::from_toml("[train]\nlearning_rat = 1\n", "run.toml"); });
  refused(ErrorKind::io, "missing", [&] { Model::load(directory / "missing"); });
  refused(ErrorKind::usage, "unknown rule", [&] { score(model, kText, {.rule = "best"}); });
  refused(ErrorKind::data, "no token", [&] { score(model, ""); });
  refused(ErrorKind::data, "no target", [&] { loss(model, {}); });
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  const fs::path directory = arguments[1];
  try {
    fs::create_directories(directory);
    learn_tokenizer(directory);
    Model model = Model::load(train_two_steps(directory));
    score_text(model);
    differentiate(model);
    meet_errors(model, directory);
  } catch (const std::exception& error) {
    std::cerr << "consumer: " << error.what() << '\n';
    return 1;
  }
  std::cout << "consumer: all is as promised\n";
}
