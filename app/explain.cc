// The arrays of a stream as a table: the documentation of every objective.
#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "core/text_width.h"
#include "stream/json_lines.h"
#include "text_input.h"
#include "verbs.h"

namespace surprisal {
namespace {

struct Arguments {
  SampleArguments samples;
  std::string tokenizer;
  bool json = false;
};

using Row = std::vector<std::string>;

// A token's text on one line: a blank is shown as an open box, and bytes that are only a part of a character
// in the vocabulary's own spelling.
std::string token_text(const Tokenizer& tokenizer, std::int32_t id) {
  std::string text = tokenizer.is_special(id) ? std::string(tokenizer.token(id)) : tokenizer.decode({&id, 1});
  if (text.empty() || text.find("\xEF\xBF\xBD") != std::string::npos) text = tokenizer.token(id);
  std::string shown;
  for (char character : text) {
    switch (character) {
      case ' ':
        shown += "␣";
        break;
      case '\n':
        shown += "\\n";
        break;
      case '\r':
        shown += "\\r";
        break;
      case '\t':
        shown += "\\t";
        break;
      default:
        shown += static_cast<unsigned char>(character) < 0x20 ? '?' : character;
    }
  }
  return shown;
}

std::string answer_text(const Tokenizer& tokenizer, const Target& target) {
  return fmt::format("{} ({})", token_text(tokenizer, target.id), target.id);
}

// What was done to the row's token: "special", or of a row that a masked objective predicts, "masked",
// "random" or "kept".
std::string mark(const Tokenizer& tokenizer, const Stream& stream, const Part& part, std::int32_t row,
                 const Target* target) {
  std::int32_t id = stream.token[static_cast<std::size_t>(row)];
  bool masks = part.terms.front().objective->traits().joins_labels;
  if (masks && target) {
    if (id == target->id) return "kept";
    return id == tokenizer.special().mask ? "masked" : "random";
  }
  return tokenizer.is_special(id) ? "special" : "";
}

// `note`: what the objective says of the row; empty: nothing.
Row cells(const Tokenizer& tokenizer, const Stream& stream, const Part& part, std::int32_t row,
          const std::string& note) {
  std::size_t at = static_cast<std::size_t>(row);
  const Target* predicted = nullptr;  // the first: a row of a choice may have several
  std::string answers, weights;
  for (const Target& target : stream.target) {
    if (target.row != row) continue;
    const char* between = predicted ? ", " : "";
    answers += fmt::format("{}{}", between, answer_text(tokenizer, target));
    weights += fmt::format("{}{:g}", between, target.weight);
    if (!predicted) predicted = &target;
  }
  Row cells{fmt::format("{}", row),
            token_text(tokenizer, stream.token[at]),
            fmt::format("{}", stream.token[at]),
            fmt::format("{}", stream.position[at]),
            fmt::format("{}", stream.block_position[at]),
            fmt::format("{}", stream.segment[at]),
            fmt::format("[{},{})", stream.visible[at].begin, stream.visible[at].end),
            answers,
            weights,
            note.empty() ? mark(tokenizer, stream, part, row, predicted) : note};
  return cells;
}

void print_table(const std::vector<Row>& rows) {
  std::vector<int> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], display_width(row[column]));
    }
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column)
      line += pad_to(row[column], widths[column]) + "  ";
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

void print_choice(const Tokenizer& tokenizer, const Stream& stream, const Choice& choice) {
  fmt::print("choice: {} option{}, weight {:g}\n", choice.option.size(), choice.option.size() == 1 ? "" : "s",
             choice.weight);
  for (std::size_t k = 0; k < choice.option.size(); ++k) {
    std::string answers;
    for (std::int32_t t = choice.option[k].begin; t < choice.option[k].end; ++t) {
      const Target& target = stream.target[static_cast<std::size_t>(t)];
      answers +=
          fmt::format("{}row {} {}", answers.empty() ? "" : ", ", target.row, answer_text(tokenizer, target));
    }
    fmt::print("option {}: {}{}\n", k, answers,
               static_cast<std::int32_t>(k) == choice.answer ? ": the answer" : "");
  }
}

SampleKey key_of(const Sequence& sequence, const SampleArguments& arguments) {
  return {.seed = static_cast<std::uint64_t>(arguments.seed),
          .epoch = sequence.epoch,
          .document = sequence.document,
          .index = static_cast<std::uint32_t>(sequence.sample & 0xFFFFFF),
          .kind = kind_of(sequence),
          .progress = arguments.progress};
}

void print_sample(const Tokenizer& tokenizer, const Mixture& mixture, const TokenCorpus& corpus,
                  const Stream& stream, const SampleNotes& notes, std::size_t number) {
  const Sequence& sequence = stream.sequence.front();
  const Part& part = mixture.parts()[static_cast<std::size_t>(sequence.part)];
  fmt::print("{}sample {}: {}, {} rows, {} target{}, document at {}, epoch {}\n", number == 1 ? "" : "\n",
             number, part.name, stream.size(), stream.target.size(), stream.target.size() == 1 ? "" : "s",
             corpus.of_kind(kind_of(sequence)).origin(sequence.document), sequence.epoch);
  for (const Label& label : stream.label) {
    const Objective& objective = *part.terms.back().objective;  // one over labels stands last
    if (objective.traits().classifier == Classifier::number) {
      fmt::print("label: row {}, value {:g}, weight {:g}\n", label.row, label.value, label.weight);
      continue;
    }
    fmt::print("label: row {}, class {} ({}), weight {:g}\n", label.row, label.cls,
               objective.class_names().at(static_cast<std::size_t>(label.cls)), label.weight);
  }
  for (const Choice& choice : stream.choice) print_choice(tokenizer, stream, choice);
  for (const std::string& line : notes.lines) fmt::print("{}\n", line);
  std::vector<Row> table{
      {"row", "token", "id", "position", "block", "segment", "visible", "target", "weight", "mark"}};
  for (std::int32_t row = 0; row < stream.size(); ++row) {
    const std::string note = notes.rows.empty() ? "" : notes.rows[static_cast<std::size_t>(row)];
    table.push_back(cells(tokenizer, stream, part, row, note));
  }
  print_table(table);
}

void explain_verb(Arguments& arguments, const std::vector<std::string>& rest) {
  arguments.samples.read_overrides(rest);
  Tokenizer tokenizer = Tokenizer::load(arguments.tokenizer);
  const Mixture mixture = make_mixture(arguments.samples, tokenizer);
  TokenCorpus corpus = open_text(arguments.samples, mixture, tokenizer);
  std::vector<Stream> streams = read_samples(arguments.samples, mixture, corpus);
  for (std::size_t index = 0; index < streams.size(); ++index) {
    const Stream& stream = streams[index];
    if (arguments.json) {
      fmt::print("{}\n", stream_to_json(stream));
    } else {
      const SampleKey key = key_of(stream.sequence.front(), arguments.samples);
      print_sample(tokenizer, mixture, corpus, stream, mixture.notes(key, stream), index + 1);
    }
  }
}

}  // namespace

void add_explain(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  arguments->samples.samples = 1;
  CLI::App* verb = app.add_subcommand("explain", "Show what an objective predicts and what each row may see");
  verb->add_option("--objective", arguments->samples.objective,
                   "such as \"mlm + nsp\" or \"0.5 causal | 0.5 reverse\"")
      ->required();
  verb->add_option("--tokenizer", arguments->tokenizer,
                   "a directory, or tokenizer.json, vocab.txt, vocab.json, SentencePiece .model")
      ->required();
  arguments->samples.add_to(*verb);
  verb->add_flag("--json", arguments->json, "one stream a line, as loss --streams reads them");
  verb->add_option("FILE", arguments->samples.text, kTextHelp)->required();
  verb->callback([arguments, verb] { explain_verb(*arguments, verb->remaining()); });
  verb->footer(
      "Options of objectives and of the corpus: --objective.mlm.probability 0.3 --data.document line\n"
      "Example: surprisal explain --objective mlm --tokenizer tokenizers/wordpiece --samples 2 text.txt");
}

}  // namespace surprisal
