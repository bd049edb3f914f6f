#include "tests/app/program.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "core/file.h"
#include "store/model_directory.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

void save(const fs::path& directory, const char* family, const Tokenizer& tokenizer) {
  fs::create_directories(directory);
  ModelConfig config = tiny_config(family, tokenizer.vocabulary_size(), 20);
  save_model(directory, *tiny_model(config, Mode::evaluate, 20), &tokenizer);
}

// The program's environment: ours, and threads that sleep while they wait, since tests run side by side.
std::vector<std::string> environment() {
  std::vector<std::string> variables{"OMP_WAIT_POLICY=passive"};
  for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::vector<Json> Outcome::json_lines() const {
  std::istringstream text(out);
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(parse_json(line, "standard output"));
  return lines;
}

Workplace::Workplace() {
  write("text.txt", workplace_text());
  tiny_bpe().save(directory_ / "bpe");
  tiny_wordpiece().save(directory_ / "wordpiece");
  save(directory_ / "gpt2", "gpt2", tiny_bpe());
  save(directory_ / "bert", "bert", tiny_wordpiece());
}

void Workplace::write(const std::string& name, const std::string& content) const {
  std::ofstream(directory_ / name, std::ios::binary) << content;
}

Outcome Workplace::run(const std::vector<std::string>& arguments, const std::string& input) const {
  TemporaryDirectory streams;
  std::ofstream(streams / "in", std::ios::binary) << input;
  std::vector<std::string> command{"surprisal"}, variables = environment();
  command.insert(command.end(), arguments.begin(), arguments.end());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory_.path().c_str());
  posix_spawn_file_actions_addopen(&actions, 0, (streams / "in").c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (streams / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, (streams / "err").c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t process = 0;
  int error = posix_spawn(&process, SURPRISAL_PROGRAM, &actions, nullptr, pointers(command).data(),
                          pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (error != 0 || waitpid(process, &status, 0) < 0)
    throw std::runtime_error("cannot run " SURPRISAL_PROGRAM);
  return {.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = read_file(streams / "out"),
          .err = read_file(streams / "err")};
}

const std::string& workplace_text() {
  static const std::string text = tiny_text(6, 3);
  return text;
}

std::string tiny_toml(const std::string& objective) {
  bool decoder = objective.find("causal") != std::string::npos;
  return "[run]\ndirectory = \"run\"\n[data]\ntrain = [\"text.txt\"]\nvalidation = [\"text.txt\"]\n"
         "sequence_length = 16\n[tokenizer]\npath = \"" +
         std::string(decoder ? "bpe" : "wordpiece") + "\"\n[objective]\ntrain = \"" + objective +
         "\"\n[model]\nfamily = \"" + (decoder ? "gpt2" : "bert") +
         "\"\nhidden_size = 12\nnum_hidden_layers = 1\nnum_attention_heads = 3\n"
         "[train]\nmax_steps = 4\ntokens_per_step = 64\nmicro_batch_tokens = 32\nlearning_rate = 1e-3\n"
         "eval_steps = 2\nthreads = 1\n";
}

}  // namespace surprisal
