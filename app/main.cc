// surprisal: trains, scores and explains language models. Verbs are in the files beside this one.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "surprisal/error.h"

#include "console.h"
#include "core/options.h"
#include "verbs.h"

namespace surprisal {
namespace {

int report(const Error& error) {
  say(fmt::format("surprisal: error: {}", error.what()));
  return static_cast<int>(error.kind());
}

Error unknown(const char* what, const std::string& given, const std::vector<std::string>& known) {
  std::string nearest = nearest_name(given, known);
  return Error(ErrorKind::usage,
               {.what = fmt::format("unknown {} {}", what, given),
                .expected = nearest.empty() ? fmt::format("{}", fmt::join(known, ", ")) : "",
                .fix = nearest.empty() ? "" : fmt::format("did you mean {}?", nearest)});
}

// Keys of the configuration (--section.key) are not among the options of a verb; their own reader judges
// them.
void check_options(const CLI::App& verb, std::span<char*> arguments) {
  std::vector<std::string> known;
  for (const CLI::Option* option : verb.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (std::string argument : arguments) {
    if (argument == "--") return;
    argument = argument.substr(0, argument.find('='));
    if (!argument.starts_with("--") || argument.find('.') != std::string::npos) continue;
    if (std::find(known.begin(), known.end(), argument) == known.end())
      throw unknown("option", argument, known);
  }
}

// CLI11 says only that an argument was not expected. `arguments` are those behind the name of `app`.
void check_names(const CLI::App& app, std::span<char*> arguments) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  if (verbs.empty()) return check_options(app, arguments);
  if (arguments.empty() || arguments[0][0] == '-') return;
  std::string given = arguments[0];
  if (std::find(verbs.begin(), verbs.end(), given) == verbs.end()) throw unknown("verb", given, verbs);
  check_names(*app.get_subcommand(given), arguments.subspan(1));
}

// Between parallel loops libgomp's threads spin for some milliseconds before they sleep, which starves them
// where other programs run, too (measured beside one busy process: a fifth of the speed). It reads its
// setting before main does, so the program starts itself again with it, unless the user has chosen.
void shorten_spinning(char** arguments) {
  if (std::getenv("OMP_WAIT_POLICY") || std::getenv("GOMP_SPINCOUNT")) return;
  if (setenv("GOMP_SPINCOUNT", "1000", 0) == 0)
    execv("/proc/self/exe", arguments);  // without it: slower, not wrong
}

// Where a standard stream is closed, the next file that is opened gets its number, and what is meant for the
// stream is written into that file. Opened the wrong way round, reading and writing fail as if it were
// closed.
void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) < 0) open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Results that could not be written must not look written: a full disk shows when the buffer is flushed.
void flush_results() {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return;
  throw Error(ErrorKind::io,
              {.what = fmt::format("cannot write: {}", std::strerror(errno)), .where = "standard output"});
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
  add_plan(app);
  add_score(app);
  add_generate(app);
  add_loss(app);
  add_explain(app);
  add_import(app);
  add_merge(app);
  add_inspect(app);
  add_doctor(app);
  add_completion(app);
  try {
    std::span<char*> given = std::span(arguments, static_cast<std::size_t>(count)).subspan(1);
    check_names(app, given);
    std::vector<std::string> words = join_overrides(given);
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    app.parse(std::move(words));
    flush_results();
  } catch (const CLI::RuntimeError& error) {  // a verb that ends with a code of its own
    return error.get_exit_code();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    say(fmt::format("surprisal: error: {}", error.what()));
    return static_cast<int>(ErrorKind::usage);
  }
  return 0;
}

}  // namespace
}  // namespace surprisal

int main(int count, char** arguments) {
  surprisal::occupy_standard_streams();
  surprisal::shorten_spinning(arguments);
  try {
    return surprisal::run(count, arguments);
  } catch (const surprisal::Error& error) {
    return surprisal::report(error);
  } catch (const std::bad_alloc&) {
    surprisal::say(
        "surprisal: error: out of memory; lower train.micro_batch_tokens or the size of the model");
    return static_cast<int>(surprisal::ErrorKind::memory);
  } catch (const std::system_error& error) {  // fmt::print, where nothing can be written
    surprisal::say(fmt::format("surprisal: error: {}", error.what()));
    return static_cast<int>(surprisal::ErrorKind::io);
  } catch (const std::exception& error) {
    surprisal::say(fmt::format("surprisal: error: {}", error.what()));
    return 1;
  }
}
