#include "infer/score.h"

#include <algorithm>
#include <memory>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "console.h"
#include "core/json.h"
#include "infer/predict_labels.h"
#include "infer/record_scorer.h"
#include "store/adapted_model.h"
#include "text_input.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::string model, adapter, file;
  ScoreOptions options;
  bool json = false, each = false;
};

void print_metrics(const Score& score) {
  for (const Metric& metric : score.metrics) fmt::print("{:<14} {:.4f}\n", metric.name, metric.value);
}

// Of rules whose unit is a document or a label, not a token.
void print_labels(const Score& score, bool json) {
  const bool labels = score.labels > 0, regression = score.rule == "regression";
  const std::uint64_t count = labels ? score.labels : score.documents;
  const double mean = score.nats / static_cast<double>(count);
  const char* const unit = score.rule == "token_classification" ? "word" : "example";
  if (json) {
    OrderedJson line{{"rule", score.rule}};
    if (!regression) line["nats"] = score.nats;
    line["examples"] = score.documents;
    if (unit == std::string("word")) line["words"] = count;
    line[regression ? "mean_squared_error" : fmt::format("nats_per_{}", unit)] = mean;
    if (score.accuracy) line["accuracy"] = *score.accuracy;
    for (const Metric& metric : score.metrics) line[metric.name] = metric.value;
    line["sequence_length"] = score.sequence_length;
    fmt::print("{}\n", to_line(line));
    return;
  }
  fmt::print("rule           {} (sequences of {})\n", score.rule, score.sequence_length);
  fmt::print("examples       {}\n", score.documents);
  if (unit == std::string("word")) fmt::print("words          {}\n", count);
  if (regression) {
    fmt::print("squared error  {:.4f}\n", mean);
  } else {
    fmt::print("surprisal      {:.4f} nats {} {}\n", mean, unit == std::string("word") ? "a" : "an", unit);
  }
  if (score.accuracy) fmt::print("accuracy       {:.2f}%\n", 100 * *score.accuracy);
  print_metrics(score);
}

void print_score(const Score& score, bool json) {
  if (score.tokens == 0) return print_labels(score, json);
  if (json) {
    OrderedJson line{{"rule", score.rule},
                     {"nats", score.nats},
                     {"tokens", score.tokens},
                     {"bytes", score.bytes},
                     {"bits_per_byte", score.bits_per_byte()},
                     {"perplexity", score.perplexity()},
                     {"nats_per_token", score.nats / static_cast<double>(score.tokens)},
                     {"documents", score.documents},
                     {"sequence_length", score.sequence_length}};
    for (const Metric& metric : score.metrics) line[metric.name] = metric.value;
    fmt::print("{}\n", to_line(line));
    return;
  }
  fmt::print("rule           {} (windows of {})\n", score.rule, score.sequence_length);
  fmt::print("documents      {}\n", score.documents);
  fmt::print("tokens         {}\n", score.tokens);
  fmt::print("surprisal      {:.4f} nats, {:.4f} bits a token\n",
             score.nats / static_cast<double>(score.tokens),
             score.nats / static_cast<double>(score.tokens) / std::numbers::ln2);
  if (score.bytes > 0) fmt::print("bits per byte  {:.4f}\n", score.bits_per_byte());
  fmt::print("perplexity     {:.4f}\n", score.perplexity());
  print_metrics(score);
}

void require_classifier(const Arguments& arguments, const std::optional<RecordScorer>& records) {
  if (!arguments.each) return;
  if (records && records->mixture().classifier() != Classifier::none) return;
  throw Error(ErrorKind::usage, {.what = "--each prints what a classifier says of each record",
                                 .where = arguments.model,
                                 .found = "a language model"});
}

// One JSON object a line, in the order of the file.
void print_each(Transformer& model, const TokenCorpus& corpus, const Mixture& mixture,
                const Capacity& capacity) {
  const std::vector<std::string> names = mixture.class_names();
  const auto name = [&](std::int32_t cls) { return names[static_cast<std::size_t>(cls)]; };
  predict_labels(model, corpus, mixture, capacity, [&](const LabelPrediction& prediction) {
    OrderedJson line{{"record", corpus.origin(prediction.document)}};
    if (mixture.classifier() == Classifier::number) line["value"] = prediction.value;
    if (mixture.classifier() == Classifier::text) line["label"] = name(prediction.classes.front());
    for (std::size_t cls = 0; cls < prediction.probability.size(); ++cls) {
      line["probability"][names[cls]] = prediction.probability[cls];
    }
    if (mixture.classifier() == Classifier::word) {
      line["labels"] = OrderedJson::array();
      for (std::int32_t cls : prediction.classes) {
        line["labels"].push_back(cls < 0 ? OrderedJson(nullptr) : OrderedJson(name(cls)));
      }
    }
    fmt::print("{}\n", to_line(line));
  });
}

void score_verb(Arguments& arguments, const std::vector<std::string>& rest) {
  CorpusOptions corpus_options;
  std::vector<std::string> of_corpus;
  for (const std::string& argument : rest) {
    if (!argument.starts_with("--objective."))
      of_corpus.push_back(argument);
    else
      arguments.options.objective.push_back(parse_overrides({argument}).front());
  }
  read_corpus_overrides(of_corpus, corpus_options);
  const AdaptedModel source(arguments.model, arguments.adapter);
  const ModelConfig& config = source.config();
  Tokenizer tokenizer = Tokenizer::load(arguments.model);
  const std::string rule = arguments.options.rule.empty() ? default_rule(config) : arguments.options.rule;
  std::optional<RecordScorer> records;
  if (is_record_rule(rule)) {
    records.emplace(rule, config, tokenizer, arguments.options);
    corpus_options.records = records->records(!arguments.each);
  }
  require_classifier(arguments, records);
  TokenCorpus corpus = open_text(arguments.file, corpus_options, tokenizer);
  if (records) {
    for (const std::string& remark : records->remarks(corpus)) say("surprisal: " + remark);
  }
  Capacity capacity =
      records ? records->capacity(corpus) : Capacity{.tokens = score_capacity(config, arguments.options)};
  if (arguments.each) capacity.labels = std::max(capacity.labels, config.classes);
  Transformer model(config, Mode::evaluate, capacity);
  source.load(model);
  if (arguments.each) return print_each(model, corpus, records->mixture(), capacity);
  LiveLine live;
  arguments.options.progress = [&](std::uint64_t done, std::uint64_t total) {
    live.show(fmt::format("scoring document {} of {}", done, total));
  };
  Score result = score(model, tokenizer, corpus, arguments.options);
  live.clear();
  print_score(result, arguments.json);
}

}  // namespace

void add_score(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("score", "The surprisal of a text under a model");
  verb->add_option("--model", arguments->model, "a Hugging Face directory")->required();
  verb->add_option("--adapter", arguments->adapter, kAdapterHelp);
  verb->add_option("--rule", arguments->options.rule,
                   "windows (decoders), reverse (decoders trained right to left), pll (masked models), cloze "
                   "(options for a blank), conditional (completions given their prompts), or what a "
                   "classifier was trained for: classification, regression, token_classification");
  verb->add_option("--sequence-length", arguments->options.sequence_length, "0: all of the model's positions")
      ->check(CLI::NonNegativeNumber);
  verb->add_flag("--json", arguments->json, "full precision");
  verb->add_flag("--each", arguments->each,
                 "of a classifier: what it says of each record, a JSON object a line; labels are not read");
  verb->add_option("FILE", arguments->file, kTextHelp)->required();
  verb->allow_extras();
  verb->callback([arguments, verb] { score_verb(*arguments, verb->remaining()); });
  verb->footer(
      "windows: disjoint windows with one token of context; every token and each document's end counts "
      "once.\n"
      "pll: each token masked in turn (Salazar et al., 2020).\n"
      "cloze: records of a text with one mask, its options and a label; --objective.cloze.pattern and\n"
      "--objective.cloze.verbalizer make them of other fields.\n"
      "conditional: records of prompt and completion, of messages or Alpaca's, or lines "
      "context||completion;\n"
      "--objective.conditional.chat names the layout of messages.\n"
      "classification, regression, token_classification: records of a text and its label, or of words and "
      "theirs;\n"
      "--objective.classification.label_field and its like name the fields.\n"
      "Documents are separated by blank lines; --data.document line|file changes that.\n"
      "Example: surprisal score --model runs/gpt2/best --json held-out.txt");
}

}  // namespace surprisal
