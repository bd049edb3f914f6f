#include "infer/score.h"

#include <memory>
#include <numbers>

#include <fmt/format.h>

#include "console.h"
#include "core/json.h"
#include "store/model_directory.h"
#include "text_input.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::string model, file;
  ScoreOptions options;
  bool json = false;
};

void print_score(const Score& score, bool json) {
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
  fmt::print("bits per byte  {:.4f}\n", score.bits_per_byte());
  fmt::print("perplexity     {:.4f}\n", score.perplexity());
}

void score_verb(Arguments& arguments, const std::vector<std::string>& rest) {
  CorpusOptions corpus_options;
  read_corpus_overrides(rest, corpus_options);
  ModelConfig config = read_model_config(arguments.model);
  Tokenizer tokenizer = Tokenizer::load(arguments.model);
  TokenCorpus corpus = open_text(arguments.file, corpus_options, tokenizer);
  Transformer model(config, Mode::evaluate, {.tokens = score_capacity(config, arguments.options)});
  load_weights(arguments.model, model);
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
  verb->add_option("--rule", arguments->options.rule,
                   "windows (decoders), reverse (decoders trained right to left) or pll (masked models)");
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
      "Documents are separated by blank lines; --data.document line|file changes that.\n"
      "Example: surprisal score --model runs/gpt2/best --json held-out.txt");
}

}  // namespace surprisal
