#include "surprisal/tokenizer.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "console.h"
#include "core/json.h"
#include "core/parallel.h"
#include "line_blocks.h"
#include "text/train/train_tokenizer.h"
#include "text/unicode/utf8.h"
#include "text_input.h"
#include "verbs.h"

namespace surprisal {
namespace {

constexpr const char* kTokenizerHelp =
    "a directory, or tokenizer.json, vocab.txt, vocab.json, SentencePiece .model";

struct Arguments {
  TokenizerTraining training;
  std::string out, tokenizer, file, specials;
  bool special = false, json = false;
};

void train_tokenizer_verb(Arguments& arguments, const std::vector<std::string>& rest) {
  read_corpus_overrides(rest, arguments.training.corpus);
  LiveLine live;
  arguments.training.progress = [&](const char* phase, std::uint64_t done, std::uint64_t total) {
    live.show(fmt::format("{}: {} of {}", phase, done, total));
  };
  TrainedTokenizer trained = train_tokenizer(arguments.training);
  live.clear();
  if (std::string skips = skips_text(trained.corpus); !skips.empty())
    say(fmt::format("surprisal: {}", skips));
  Tokenizer::from_json(trained.tokenizer_json, trained.tokenizer_config_json, arguments.out)
      .save(arguments.out);
  if (trained.vocab_size < arguments.training.vocab_size) {
    say(fmt::format("surprisal: warning: the text allows {} entries, not {}", trained.vocab_size,
                    arguments.training.vocab_size));
  }
  if (arguments.json) {
    fmt::print("{}\n", to_line({{"type", arguments.training.type},
                                {"vocab_size", trained.vocab_size},
                                {"out", arguments.out}}));
  } else {
    fmt::print("{}: {} with {} entries\n", arguments.out, arguments.training.type, trained.vocab_size);
  }
}

void add_specials_verb(const Arguments& arguments) {
  Tokenizer before = Tokenizer::load(arguments.tokenizer);
  Tokenizer after = add_glm_specials(before);
  after.save(arguments.out);
  std::int32_t added = after.vocabulary_size() - before.vocabulary_size();
  if (arguments.json) {
    fmt::print("{}\n",
               to_line({{"added", added}, {"vocab_size", after.vocabulary_size()}, {"out", arguments.out}}));
  } else {
    fmt::print("{}: {} special tokens added, {} entries\n", arguments.out, added, after.vocabulary_size());
  }
}

// convert(line, number, out) for every line, on all threads; printed in order, as the lines come.
template <class Convert>
void convert_lines(const std::string& file, Convert&& convert) {
  constexpr std::int64_t kLines = 64;
  LineBlocks blocks(file);
  std::vector<std::string> results;
  for (std::vector<std::string_view> lines; blocks.next(lines);) {
    std::int64_t count = std::ssize(lines);
    results.resize(static_cast<std::size_t>((count + kLines - 1) / kLines));
    parallel_ranges(count, kLines, [&](std::int64_t first, std::int64_t last, int) {
      std::string& result = results[static_cast<std::size_t>(first / kLines)];
      result.clear();
      for (std::int64_t line = first; line < last; ++line) {
        convert(lines[static_cast<std::size_t>(line)],
                static_cast<std::size_t>(line) + static_cast<std::size_t>(blocks.first_number()), result);
        result += '\n';
      }
    });
    for (const std::string& result : results) fmt::print("{}", result);
    std::fflush(stdout);
  }
}

void check_utf8(std::string_view line, const std::string& file, std::size_t number) {
  if (std::size_t valid = find_invalid_utf8(line); valid != std::string_view::npos) {
    throw Error(ErrorKind::data, {.what = fmt::format("invalid UTF-8 at byte {} of the line", valid),
                                  .where = fmt::format("{}:{}", file, number)});
  }
}

void append_ids(const std::vector<std::int32_t>& ids, char separator, std::string& out) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += separator;
    fmt::format_int digits(ids[i]);
    out.append(digits.data(), digits.size());
  }
}

void encode_verb(const Arguments& arguments) {
  Tokenizer tokenizer = Tokenizer::load(arguments.tokenizer);
  convert_lines(arguments.file, [&](std::string_view line, std::size_t number, std::string& out) {
    check_utf8(line, arguments.file, number);
    std::vector<std::int32_t> ids;
    if (arguments.special) {
      ids = tokenizer.encode_with_special(line);
    } else {
      tokenizer.encode(line, ids);
    }
    if (arguments.json) out += '[';
    append_ids(ids, arguments.json ? ',' : ' ', out);
    if (arguments.json) out += ']';
  });
}

std::vector<std::int32_t> parse_ids(std::string_view line, std::int32_t vocabulary,
                                    const std::string& where) {
  Json json = parse_json(line, where);
  std::vector<std::int32_t> ids;
  if (!json.is_array()) throw Error(ErrorKind::data, {.what = "no JSON array of ids", .where = where});
  for (const Json& id : json) {
    bool fits = id.is_number_integer() && id.get<std::int64_t>() >= 0 && id.get<std::int64_t>() < vocabulary;
    if (!fits) {
      throw Error(ErrorKind::data, {.what = "not an id of the tokenizer",
                                    .where = where,
                                    .found = id.dump(),
                                    .expected = fmt::format("0 to {}", vocabulary - 1)});
    }
    ids.push_back(id.get<std::int32_t>());
  }
  return ids;
}

void decode_verb(const Arguments& arguments) {
  Tokenizer tokenizer = Tokenizer::load(arguments.tokenizer);
  const std::int32_t vocabulary = tokenizer.vocabulary_size();
  convert_lines(arguments.file, [&](std::string_view line, std::size_t number, std::string& out) {
    std::string text =
        tokenizer.decode(parse_ids(line, vocabulary, fmt::format("{}:{}", arguments.file, number)));
    out += arguments.json ? to_line(text) : text;
  });
}

void add_tokenizer_train(CLI::App& verb, const std::shared_ptr<Arguments>& arguments) {
  CLI::App* train = verb.add_subcommand("train", "Train a tokenizer on text");
  train
      ->add_option("--type", arguments->training.type,
                   "bpe (byte level), wordpiece, or unigram (SentencePiece's)")
      ->check(CLI::IsMember({"bpe", "wordpiece", "unigram"}))
      ->required();
  train->add_option("--vocab-size", arguments->training.vocab_size, "entries, everything counted")
      ->check(CLI::Range(1, 4000000))
      ->required();
  train->add_flag("--lowercase", arguments->training.lowercase, "wordpiece: lower case and strip accents");
  train->add_flag("--byte-fallback", arguments->training.byte_fallback,
                  "unigram: write characters without a token as bytes");
  train
      ->add_option("--specials", arguments->training.specials,
                   "glm: add GLM's special tokens; --vocab-size counts them")
      ->check(CLI::IsMember({"glm"}));
  train->add_option("--out", arguments->out, "directory to write")->required();
  train->add_flag("--json", arguments->json, "print the result as JSON");
  train->add_option("FILE", arguments->training.files, kTextHelp)->required();
  train->allow_extras();
  train->callback([arguments, train] { train_tokenizer_verb(*arguments, train->remaining()); });
  train->footer(
      "Options of the corpus: --data.field content --data.invalid_utf8 replace --data.document line\n"
      "Example: surprisal tokenizer train --type bpe --vocab-size 8000 --out tokenizers/bpe a.txt "
      "b.jsonl.gz");
}

void add_add_specials(CLI::App& verb, const std::shared_ptr<Arguments>& arguments) {
  CLI::App* add =
      verb.add_subcommand("add-specials", "Give a tokenizer the special tokens of a family that it lacks");
  add->add_option("--specials", arguments->specials,
                  "glm: [MASK] [gMASK] [sMASK], begin and end of a piece ...")
      ->check(CLI::IsMember({"glm"}))
      ->required();
  add->add_option("--tokenizer", arguments->tokenizer, kTokenizerHelp)->required();
  add->add_option("--out", arguments->out, "directory to write")->required();
  add->add_flag("--json", arguments->json, "print the result as JSON");
  add->callback([arguments] { add_specials_verb(*arguments); });
  add->footer(
      "Example: surprisal tokenizer add-specials --specials glm --tokenizer gpt2 --out tokenizers/gpt2-glm");
}

void add_conversion(CLI::App& verb, const char* name, const char* help, const char* example,
                    const std::shared_ptr<Arguments>& arguments, void (*run)(const Arguments&)) {
  CLI::App* conversion = verb.add_subcommand(name, help);
  conversion->add_option("--tokenizer", arguments->tokenizer, kTokenizerHelp)->required();
  if (run == encode_verb)
    conversion->add_flag("--special", arguments->special, "add what the post-processor adds");
  conversion->add_flag("--json", arguments->json, "a JSON value a line");
  conversion->add_option("FILE", arguments->file, "input; - is standard input")->required();
  conversion->callback([arguments, run] { run(*arguments); });
  conversion->footer(
      fmt::format("Example: surprisal tokenizer {} --tokenizer tokenizers/bpe --json {}", name, example));
}

}  // namespace

void add_tokenizer(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* verb = app.add_subcommand("tokenizer", "Train a tokenizer; text to ids and back");
  verb->require_subcommand(1);
  add_tokenizer_train(*verb, arguments);
  add_add_specials(*verb, arguments);
  add_conversion(*verb, "encode", "A line of text in, its ids out", "text.txt", arguments, encode_verb);
  add_conversion(*verb, "decode", "A JSON array of ids in, its text out", "ids.jsonl", arguments,
                 decode_verb);
  verb->footer("Example: surprisal tokenizer encode --tokenizer tokenizers/bpe --json text.txt");
}

}  // namespace surprisal
