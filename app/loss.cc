// The loss of given streams, or of a text under an objective, as one optimizer step would see it, and its
// gradients.
#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "infer/stream_step.h"
#include "store/adapted_model.h"
#include "stream/json_lines.h"
#include "text_input.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  SampleArguments samples;
  std::string model, adapter, streams, gradients;
  bool json = false;
};

struct Step {
  std::vector<Stream> streams;
  std::vector<std::string> where;  // each stream came from
  LossWeights weights;
  std::size_t parts = 1;
};

Step read_streams(const std::string& file) {
  std::string text =
      file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_file(file);
  Step step;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = std::string_view(text).substr(begin, end - begin);
    ++number;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
      step.where.push_back(fmt::format("{}:{}", file, number));
      step.streams.push_back(stream_from_json(line, step.where.back()));
    }
    begin = end + 1;
  }
  if (step.streams.empty())
    throw Error(ErrorKind::data, {.what = "no stream", .where = file, .expected = "a JSON object a line"});
  return step;
}

Step read_step(Arguments& arguments, const ModelConfig& config) {
  if (!arguments.streams.empty()) return read_streams(arguments.streams);
  Tokenizer tokenizer = Tokenizer::load(arguments.model);
  SampleArguments& samples = arguments.samples;
  const Mixture mixture = make_mixture(samples, tokenizer, config.class_names);
  TokenCorpus corpus = open_text(samples, mixture, tokenizer);
  Step step{read_samples(samples, mixture, corpus), {}, loss_weights(mixture), mixture.parts().size()};
  for (std::size_t number = 1; number <= step.streams.size(); ++number) {
    step.where.push_back(fmt::format("{}, sample {}", samples.text, number));
  }
  return step;
}

OrderedJson pair(const LossSum& sum) {
  return {{"sum", sum.sum}, {"weight", sum.weight}};
}

// Cuts the values of all streams back into one array a stream.
template <class Count>
OrderedJson by_stream(const std::vector<Stream>& streams, const std::vector<float>& values, Count&& count) {
  OrderedJson lines = OrderedJson::array();
  std::size_t next = 0;
  for (const Stream& stream : streams) {
    OrderedJson line = OrderedJson::array();
    for (std::size_t index = count(stream); index > 0; --index)
      line.push_back(static_cast<double>(values[next++]));
    lines.push_back(std::move(line));
  }
  return lines;
}

void print_json(const Step& step, const StepLoss& outcome) {
  OrderedJson json;
  json["loss"] = outcome.loss;
  json["terms"]["token"] = pair(outcome.sums.token().total());
  json["terms"]["label"] = pair(outcome.sums.label().total());
  json["terms"]["choice"] = pair(outcome.sums.choice().total());
  json["surprisal"] =
      by_stream(step.streams, outcome.surprisal, [](const Stream& s) { return s.target.size(); });
  json["label_surprisal"] =
      by_stream(step.streams, outcome.label_surprisal, [](const Stream& s) { return s.label.size(); });
  json["choice_surprisal"] =
      by_stream(step.streams, outcome.choice_surprisal, [](const Stream& s) { return s.choice.size(); });
  fmt::print("{}\n", to_line(json));
}

void print_text(const StepLoss& outcome) {
  fmt::print("loss   {:.6f} nats\n", outcome.loss);
  auto term = [](const char* name, const TermSums& sums) {
    if (sums.count == 0) return;
    fmt::print("{:<6} {:.6f} nats = {:.6f} / {:g}, {} of them\n", name, sums.total().mean(), sums.total().sum,
               sums.total().weight, sums.count);
  };
  term("token", outcome.sums.token());
  term("label", outcome.sums.label());
  term("choice", outcome.sums.choice());
}

void loss_verb(Arguments& arguments, const CLI::App& verb) {
  bool text = !arguments.samples.text.empty() && !arguments.samples.objective.empty();
  if (text == !arguments.streams.empty()) {
    throw Error(ErrorKind::usage, {.what = "what to evaluate is not clear",
                                   .expected = "--streams FILE.jsonl, or --objective SPEC and --text FILE"});
  }
  for (const char* option :
       {"--objective", "--text", "--sequence-length", "--seed", "--epoch", "--progress", "--samples"}) {
    if (!text && verb.count(option) > 0) {
      throw Error(ErrorKind::usage, {.what = fmt::format("{} has no meaning beside --streams", option),
                                     .fix = "leave it out, or give --objective and --text"});
    }
  }
  arguments.samples.read_overrides(verb.remaining());
  const AdaptedModel source(arguments.model, arguments.adapter);
  const ModelConfig& config = source.config();
  if (verb.count("--sequence-length") == 0) {
    arguments.samples.sequence_length =
        std::min(arguments.samples.sequence_length, config.stream_positions());
  }
  Step step = read_step(arguments, source.config());
  check_streams(step.streams, step.where, config, text ? arguments.samples.text : arguments.streams);
  std::vector<Stream> packs = pack_in_order(step.streams);
  bool gradients = !arguments.gradients.empty();
  Transformer model(config, gradients ? Mode::train : Mode::evaluate, capacity_of(packs));
  source.load(model);
  StepLoss outcome = run_step(model, packs, step.weights, step.parts, gradients, arguments.model);
  if (gradients) write_safetensors(arguments.gradients, source.gradients(model));
  arguments.json ? print_json(step, outcome) : print_text(outcome);
}

}  // namespace

void add_loss(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("loss", "The loss of streams or text as one step, and its gradients");
  verb->add_option("--model", arguments->model, "a Hugging Face directory")->required();
  verb->add_option("--adapter", arguments->adapter, kAdapterHelp);
  verb->add_option("--streams", arguments->streams,
                   "streams as explain --json prints them; - is standard input");
  verb->add_option("--objective", arguments->samples.objective, "with --text: such as \"mlm + nsp\"");
  verb->add_option("--text", arguments->samples.text, kTextHelp);
  arguments->samples.add_to(*verb);
  verb->add_option("--gradients", arguments->gradients,
                   "write d(loss)/d(parameter) to this safetensors file; with --adapter, the adapter's");
  verb->add_flag("--json", arguments->json, "full precision, with the surprisal of every target");
  verb->callback([arguments, verb] { loss_verb(*arguments, *verb); });
  verb->footer(
      "Example: surprisal explain --objective causal --tokenizer DIR --json text.txt |\n"
      "           surprisal loss --model DIR --streams - --json");
}

}  // namespace surprisal
