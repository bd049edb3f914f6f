#include "surprisal/generate.h"

#include <cstdint>
#include <cstdio>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "console.h"
#include "core/json.h"
#include "objective/records.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  std::string model, adapter;
  GenerateOptions options;
  std::string prompt, infill, position, inputs;
  std::int64_t seed = 0;
  bool greedy = false, json = false;
};

OrderedJson to_json(const GeneratedTokens& generated) {
  return {{"ids", generated.ids}, {"nats", generated.nats}, {"stop", name_of(generated.stop)}};
}

// Samples after one another; where there are several, each under its number.
void print_text(std::size_t sample, std::size_t samples, const std::string& text) {
  if (samples > 1) fmt::print("{}--- {}\n", sample > 0 ? "\n" : "", sample + 1);
  fmt::print("{}\n", text);
}

// What was shown while it grew need only be ended.
bool shows_text(const GenerateOptions& options, bool json) {
  return options.samples == 1 && !json;
}

TextSink printing_sink() {
  return [](std::string_view text) {
    fmt::print("{}", text);
    std::fflush(stdout);
  };
}

OrderedJson to_json(const std::string& prompt, const Continuation& result) {
  OrderedJson line{{"prompt", prompt}, {"text", result.text}, {"completion", result.completion}};
  line.update(to_json(result.generated));
  return line;
}

OrderedJson to_json(const std::string& text, const Infilling& result) {
  OrderedJson blanks = OrderedJson::array();
  for (const FilledBlank& blank : result.blanks) {
    OrderedJson entry{{"mask", blank.mask}, {"text", blank.text}};
    entry.update(to_json(blank.generated));
    blanks.push_back(std::move(entry));
  }
  return {{"infill", text}, {"text", result.text}, {"blanks", std::move(blanks)}};
}

// `shown`: the one sample's text stands there already and need only be ended.
template <typename Result>
void print(const std::string& given, const std::vector<Result>& results, bool json, bool shown) {
  for (std::size_t sample = 0; sample < results.size(); ++sample) {
    if (json) {
      fmt::print("{}\n", to_line(to_json(given, results[sample])));
    } else if (shown) {
      fmt::print("\n");
    } else {
      print_text(sample, results.size(), results[sample].text);
    }
  }
}

void continue_prompt(Model& model, const Arguments& arguments, GenerateOptions options) {
  const bool shown = shows_text(options, arguments.json);
  if (shown) options.on_text = printing_sink();
  print(arguments.prompt, generate(model, arguments.prompt, options), arguments.json, shown);
}

// Every record of a file has its completions, in its order.
void continue_records(Model& model, const Arguments& arguments, GenerateOptions options,
                      const std::vector<Override>& objective) {
  options.prefix_lm = read_objective_keys(objective).conditional.prefix_lm;
  const std::vector<Prompt> prompts = read_prompts(model, arguments.inputs, objective);
  LiveLine live;
  for (std::size_t index = 0; index < prompts.size(); ++index) {
    live.show(fmt::format("prompt {} of {}", index + 1, prompts.size()));
    const std::vector<Continuation> results = generate(model, prompts[index], options);
    live.clear();
    for (const Continuation& result : results) {
      fmt::print("{}\n", to_line(arguments.json ? to_json(prompts[index].text, result)
                                                : OrderedJson(result.completion)));
    }
  }
}

void fill_blanks(Model& model, const Arguments& arguments, const GenerateOptions& options) {
  InfillOptions filling{.sampling = options.sampling,
                        .max_tokens = options.max_tokens,
                        .samples = options.samples,
                        .position = arguments.position};
  const bool shown = shows_text(options, arguments.json);
  if (shown) filling.on_text = printing_sink();
  print(arguments.infill, infill(model, arguments.infill, filling), arguments.json, shown);
}

// Keys of [objective.conditional] and of blank infilling, which say how records become prompts.
std::vector<Override> objective_keys(const Arguments& arguments, const std::vector<std::string>& rest) {
  std::vector<Override> keys = parse_overrides(rest);
  for (const Override& key : keys) {
    const bool known =
        key.key.starts_with("objective.conditional.") || key.key.starts_with("objective.blank_infilling.");
    if (known && !arguments.inputs.empty()) continue;
    throw Error(ErrorKind::usage, {.what = fmt::format("--{} has no meaning here", key.key),
                                   .expected = "keys of objective.conditional, beside --inputs",
                                   .fix = "surprisal generate --help lists the options"});
  }
  return keys;
}

void generate_verb(const Arguments& arguments, bool infilling, const std::vector<std::string>& rest) {
  const std::vector<Override> objective = objective_keys(arguments, rest);
  GenerateOptions options = arguments.options;
  options.sampling.seed = static_cast<std::uint64_t>(arguments.seed);
  if (arguments.greedy) options.sampling.temperature = 0;
  if (infilling && options.beams > 1) {
    throw Error(ErrorKind::usage, {.what = "--infill and --beams exclude each other",
                                   .fix = "blanks are filled by drawing, or greedily"});
  }
  Model model = Model::load(arguments.model, arguments.adapter);
  if (!arguments.inputs.empty()) return continue_records(model, arguments, options, objective);
  infilling ? fill_blanks(model, arguments, options) : continue_prompt(model, arguments, options);
}

void add_sampling(CLI::App& verb, Arguments& arguments) {
  SamplingOptions& sampling = arguments.options.sampling;
  CLI::Option* greedy =
      verb.add_flag("--greedy", arguments.greedy, "always the most probable token: temperature 0");
  verb.add_option("--temperature", sampling.temperature, "logits are divided by it; 0: greedy")
      ->excludes(greedy)
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  verb.add_option("--top-k", sampling.top_k, "draw among the K most probable tokens; 0: all")
      ->excludes(greedy)
      ->check(CLI::Range(0, 1 << 30))
      ->capture_default_str();
  verb.add_option("--top-p", sampling.top_p,
                  "... and of those among the fewest with this probability, above 0")
      ->excludes(greedy)
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb.add_option("--seed", arguments.seed, "of the random numbers")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()))
      ->capture_default_str();
  verb.add_option("--no-repeat-ngram", arguments.options.no_repeat_ngram,
                  "no so many tokens come twice in a row, the prompt included; 0: any may")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  verb.add_option("--beams", arguments.options.beams,
                  "search for the most probable among so many at once; nothing is drawn")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb.add_option("--length-penalty", arguments.options.length_penalty,
                  "a beam's score is -nats / tokens^penalty")
      ->capture_default_str();
}

}  // namespace

void add_generate(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("generate", "Continues a text, or fills its blanks");
  verb->add_option("--model", arguments->model, "a Hugging Face directory")->required();
  verb->add_option("--adapter", arguments->adapter, kAdapterHelp);
  CLI::Option* prompt = verb->add_option("--prompt", arguments->prompt, "the text to continue");
  CLI::Option* infill = verb->add_option("--infill", arguments->infill,
                                         "a text with [MASK], [sMASK] or [gMASK] where something is missing");
  CLI::Option* inputs = verb->add_option("--inputs", arguments->inputs,
                                         "a .jsonl file of prompts, messages or Alpaca's records, or a .txt "
                                         "file of lines: a completion for each");
  prompt->excludes(infill)->excludes(inputs);
  infill->excludes(inputs);
  verb->add_option("--max-tokens", arguments->options.max_tokens, "of a continuation, or of each blank")
      ->check(CLI::Range(1, 1 << 30))
      ->capture_default_str();
  add_sampling(*verb, *arguments);
  verb->add_option("--n", arguments->options.samples, "how many samples")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_flag("--reverse", arguments->options.reverse,
                 "the model reads right to left, and the prompt is the end of the text; one trained so here "
                 "does it by itself")
      ->excludes(infill);
  verb->add_flag("--begin-of-text", arguments->options.begin_of_text,
                 "the prompt begins a document: put the tokenizer's begin of text before it")
      ->excludes(infill);
  verb->add_option("--position", arguments->position,
                   "how rows of a filled blank count: two_dimensional, repeat or continue, as in training; "
                   "default: as the family was published")
      ->needs(infill);
  verb->add_flag("--json", arguments->json, "one line a sample, with ids, surprisal and why it ended");
  verb->allow_extras();
  verb->callback(
      [arguments, infill, verb] { generate_verb(*arguments, infill->count() > 0, verb->remaining()); });
  verb->footer(
      "Without --prompt and --infill a text is generated from its beginning. Text appears as it grows, "
      "where\n"
      "there is one sample. Special tokens are never drawn; an end of text or of piece ends.\n"
      "With --inputs, keys of [objective.conditional] say how records become prompts:\n"
      "--objective.conditional.chat chatml names the layout of messages.\n"
      "Example: surprisal generate --model runs/gpt2/best --prompt \"A package is\" --n 3\n"
      "Example: surprisal generate --model runs/glm/best --infill \"A [MASK] is installed by apt.\"");
}

}  // namespace surprisal
