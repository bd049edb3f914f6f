// The loss of given streams, or of a text under an objective, as one optimizer step would see it, and its
// gradients.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "infer/limits.h"
#include "infer/loss_sums.h"
#include "store/model_directory.h"
#include "stream/check.h"
#include "stream/json_lines.h"
#include "stream/packing.h"
#include "text_input.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  SampleArguments samples;
  std::string model, streams, gradients;
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

Step read_step(const Arguments& arguments) {
  if (!arguments.streams.empty()) return read_streams(arguments.streams);
  Tokenizer tokenizer = Tokenizer::load(arguments.model);
  const SampleArguments& samples = arguments.samples;
  Mixture mixture(samples.objective, samples.options, tokenizer, samples.sequence_length);
  TokenCorpus corpus = open_text(samples.text, samples.corpus, tokenizer);
  Step step{read_samples(samples, mixture, corpus), {}, loss_weights(mixture), mixture.parts().size()};
  for (std::size_t number = 1; number <= step.streams.size(); ++number) {
    step.where.push_back(fmt::format("{}, sample {}", samples.text, number));
  }
  return step;
}

void check_step(const Step& step, const ModelConfig& config, const std::string& source) {
  StreamLimits limits = limits_of(config);
  bool any = false;
  for (std::size_t index = 0; index < step.streams.size(); ++index) {
    const Stream& stream = step.streams[index];
    const std::string& where = step.where[index];
    if (!stream.label.empty() && config.classes == 0) {
      throw Error(ErrorKind::data, {.what = "labels for a model without a sentence head", .where = where});
    }
    check_stream(stream, limits, where);
    any = any || !stream.target.empty() || !stream.label.empty();
  }
  if (!any) throw Error(ErrorKind::data, {.what = "no target and no label", .where = source});
}

// Streams of the step packed in order, so that short ones do not go through the model one by one.
std::vector<Stream> pack_in_order(const std::vector<Stream>& streams, std::int32_t capacity) {
  std::vector<Stream> packs;
  for (const Stream& stream : streams) {
    if (packs.empty() || packs.back().size() + stream.size() > capacity) packs.emplace_back();
    append(packs.back(), stream);
  }
  return packs;
}

Capacity capacity_of(const std::vector<Stream>& packs) {
  Capacity capacity{1, 1, 1};
  for (const Stream& pack : packs) {
    capacity.tokens = std::max<std::int64_t>(capacity.tokens, pack.size());
    capacity.targets = std::max<std::int64_t>(capacity.targets, std::ssize(pack.target));
    capacity.labels = std::max<std::int64_t>(capacity.labels, std::ssize(pack.label));
  }
  return capacity;
}

struct Outcome {
  LossSums sums;
  std::vector<float> surprisal, label_surprisal;  // of all streams, in order
};

Outcome run_step(Transformer& model, const Step& step, const std::vector<Stream>& packs, bool gradients) {
  Outcome outcome{LossSums(step.parts), {}, {}};
  for (const Stream& pack : packs) outcome.sums.add_weights(pack);
  SurprisalGradients scale;
  StreamResult result;
  for (const Stream& pack : packs) {
    set_surprisal_gradients(pack, outcome.sums, step.weights, scale);
    if (gradients) {
      model.accumulate_gradients(pack, scale.view(), nullptr, result);
    } else {
      model.evaluate(pack, result);
    }
    outcome.sums.add_result(pack, result);
    outcome.surprisal.insert(outcome.surprisal.end(), result.token.surprisal.begin(),
                             result.token.surprisal.end());
    outcome.label_surprisal.insert(outcome.label_surprisal.end(), result.label.surprisal.begin(),
                                   result.label.surprisal.end());
  }
  return outcome;
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

void print_json(const Step& step, const Outcome& outcome) {
  OrderedJson json;
  json["loss"] = outcome.sums.loss(step.weights);
  json["terms"]["token"] = pair(outcome.sums.token().total());
  json["terms"]["label"] = pair(outcome.sums.label().total());
  json["surprisal"] =
      by_stream(step.streams, outcome.surprisal, [](const Stream& s) { return s.target.size(); });
  json["label_surprisal"] =
      by_stream(step.streams, outcome.label_surprisal, [](const Stream& s) { return s.label.size(); });
  fmt::print("{}\n", to_line(json));
}

void print_text(const Step& step, const Outcome& outcome) {
  fmt::print("loss   {:.6f} nats\n", outcome.sums.loss(step.weights));
  auto term = [](const char* name, const TermSums& sums) {
    if (sums.count == 0) return;
    fmt::print("{}  {:.6f} nats = {:.6f} / {:g}, {} of them\n", name, sums.total().mean(), sums.total().sum,
               sums.total().weight, sums.count);
  };
  term("token", outcome.sums.token());
  term("label", outcome.sums.label());
}

void check_finite(const Outcome& outcome, const Step& step, const std::string& model) {
  double loss = outcome.sums.loss(step.weights);
  if (std::isfinite(loss)) return;
  throw Error(ErrorKind::diverged, {.what = "the loss is not finite",
                                    .where = model,
                                    .found = fmt::format("{}", loss),
                                    .fix = "look for weights that are not finite"});
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
  constexpr std::int32_t kPackTokens = 1024;
  ModelConfig config = read_model_config(arguments.model);
  if (verb.count("--sequence-length") == 0) {
    arguments.samples.sequence_length =
        std::min(arguments.samples.sequence_length, config.max_position_embeddings);
  }
  Step step = read_step(arguments);
  check_step(step, config, text ? arguments.samples.text : arguments.streams);
  std::vector<Stream> packs = pack_in_order(step.streams, kPackTokens);
  bool gradients = !arguments.gradients.empty();
  Transformer model(config, gradients ? Mode::train : Mode::evaluate, capacity_of(packs));
  load_weights(arguments.model, model);
  Outcome outcome = run_step(model, step, packs, gradients);
  check_finite(outcome, step, arguments.model);
  if (gradients) save_gradients(arguments.gradients, model);
  arguments.json ? print_json(step, outcome) : print_text(step, outcome);
}

}  // namespace

void add_loss(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("loss", "The loss of streams or text as one step, and its gradients");
  verb->add_option("--model", arguments->model, "a Hugging Face directory")->required();
  verb->add_option("--streams", arguments->streams,
                   "streams as explain --json prints them; - is standard input");
  verb->add_option("--objective", arguments->samples.objective, "with --text: such as \"mlm + nsp\"");
  verb->add_option("--text", arguments->samples.text, kTextHelp);
  arguments->samples.add_to(*verb);
  verb->add_option("--gradients", arguments->gradients,
                   "write d(loss)/d(parameter) to this safetensors file");
  verb->add_flag("--json", arguments->json, "full precision, with the surprisal of every target");
  verb->callback([arguments, verb] { loss_verb(*arguments, *verb); });
  verb->footer(
      "Example: surprisal explain --objective causal --tokenizer DIR --json text.txt |\n"
      "           surprisal loss --model DIR --streams - --json");
}

}  // namespace surprisal
