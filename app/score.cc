#include "infer/score.h"

#include <memory>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "console.h"
#include "core/json.h"
#include "infer/score_choices.h"
#include "infer/score_pairs.h"
#include "store/adapted_model.h"
#include "text_input.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::string model, adapter, file;
  ScoreOptions options;
  bool json = false;
};

void print_choices(const Score& score, bool json) {
  const double nats = score.nats / static_cast<double>(score.documents);
  if (json) {
    fmt::print("{}\n", to_line({{"rule", score.rule},
                                {"nats", score.nats},
                                {"examples", score.documents},
                                {"nats_per_example", nats},
                                {"accuracy", *score.accuracy},
                                {"sequence_length", score.sequence_length}}));
    return;
  }
  fmt::print("rule           {} (sequences of {})\n", score.rule, score.sequence_length);
  fmt::print("examples       {}\n", score.documents);
  fmt::print("surprisal      {:.4f} nats an example\n", nats);
  fmt::print("accuracy       {:.2f}%\n", 100 * *score.accuracy);
}

void print_score(const Score& score, bool json) {
  if (score.accuracy) return print_choices(score, json);
  if (json) {
    fmt::print("{}\n", to_line({{"rule", score.rule},
                                {"nats", score.nats},
                                {"tokens", score.tokens},
                                {"bytes", score.bytes},
                                {"bits_per_byte", score.bits_per_byte()},
                                {"perplexity", score.perplexity()},
                                {"nats_per_token", score.nats / static_cast<double>(score.tokens)},
                                {"documents", score.documents},
                                {"sequence_length", score.sequence_length}}));
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
  std::optional<ChoiceScorer> choices;
  if (arguments.options.rule == "cloze") {
    choices.emplace(config, tokenizer, arguments.options);
    corpus_options.records = choices->records();
  }
  std::optional<PairScorer> pairs;
  if (arguments.options.rule == "conditional") {
    pairs.emplace(config, tokenizer, arguments.options);
    corpus_options.records = pairs->records();
  }
  TokenCorpus corpus = open_text(arguments.file, corpus_options, tokenizer);
  if (pairs) {
    for (const std::string& remark : pairs->remarks(corpus)) say("surprisal: " + remark);
  }
  const std::int64_t rows = choices ? choices->capacity(corpus) : score_capacity(config, arguments.options);
  Transformer model(config, Mode::evaluate, {.tokens = rows});
  source.load(model);
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
                   "(options for a blank) or conditional (completions given their prompts)");
  verb->add_option("--sequence-length", arguments->options.sequence_length, "0: all of the model's positions")
      ->check(CLI::NonNegativeNumber);
  verb->add_flag("--json", arguments->json, "full precision");
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
      "Documents are separated by blank lines; --data.document line|file changes that.\n"
      "Example: surprisal score --model runs/gpt2/best --json held-out.txt");
}

}  // namespace surprisal
