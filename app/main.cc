// surprisal: trains, scores and explains language models. Verbs are in the files beside this one.
#include <cstdio>
#include <new>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/options.h"
#include "verbs.h"

namespace surprisal {
namespace {

int report(const Error& error) {
  fmt::print(stderr, "surprisal: error: {}\n", error.what());
  return static_cast<int>(error.kind());
}

// CLI11 says only that an argument was not expected.
void check_verb(const CLI::App& app, int count, char** arguments) {
  if (count < 2 || arguments[1][0] == '-') return;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  std::string given = arguments[1];
  if (std::find(verbs.begin(), verbs.end(), given) != verbs.end()) return;
  std::string nearest = nearest_name(given, verbs);
  throw Error(ErrorKind::usage, {.what = fmt::format("unknown verb {}", given),
                                 .expected = nearest.empty() ? fmt::format("{}", fmt::join(verbs, ", ")) : "",
                                 .fix = nearest.empty() ? "" : fmt::format("did you mean {}?", nearest)});
}

int run(int count, char** arguments) {
  CLI::App app{
      "Trains, scores and explains language models under every objective: masked, next sentence, left to "
      "right,\n"
      "right to left, and their sums and mixtures."};
  app.name("surprisal");
  app.set_version_flag("--version", "surprisal " SURPRISAL_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Examples:\n"
      "  surprisal tokenizer train --type bpe --vocab-size 8000 --out tokenizers/bpe text.txt\n"
      "  surprisal train run.toml --train.learning_rate 3e-4\n"
      "  surprisal score --model runs/gpt2/best --json held-out.txt\n"
      "  surprisal explain --objective \"mlm + nsp\" --tokenizer tokenizers/wordpiece text.txt\n"
      "Each verb has its own --help.");
  add_tokenizer(app);
  add_train(app);
  add_score(app);
  add_loss(app);
  add_explain(app);
  add_doctor(app);
  try {
    check_verb(app, count, arguments);
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    fmt::print(stderr, "surprisal: error: {}\n", error.what());
    return static_cast<int>(ErrorKind::usage);
  }
  return 0;
}

}  // namespace
}  // namespace surprisal

int main(int count, char** arguments) {
  try {
    return surprisal::run(count, arguments);
  } catch (const surprisal::Error& error) {
    return surprisal::report(error);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr,
               "surprisal: error: out of memory; lower train.micro_batch_tokens or the size of the model\n");
    return static_cast<int>(surprisal::ErrorKind::memory);
  } catch (const std::exception& error) {
    fmt::print(stderr, "surprisal: error: {}\n", error.what());
    return 1;
  }
}
