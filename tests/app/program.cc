#include "tests/app/program.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

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

// The program's environment: `changes`, ours, and threads that sleep while they wait, since tests run side by
// side. Of two values of a name the first holds.
std::vector<std::string> environment(const std::vector<std::string>& changes) {
  auto name_of = [](const std::string& variable) { return variable.substr(0, variable.find('=')); };
  std::vector<std::string> variables, taken;
  auto add = [&](const std::string& variable) {
    if (std::find(taken.begin(), taken.end(), name_of(variable)) != taken.end()) return;
    taken.push_back(name_of(variable));
    if (variable.find('=') != std::string::npos) variables.push_back(variable);
  };
  for (const std::string& change : changes) add(change);
  add("OMP_WAIT_POLICY=passive");
  for (char** variable = environ; *variable; ++variable) add(*variable);
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

Process::Process(const fs::path& directory, const std::vector<std::string>& arguments,
                 const std::vector<std::string>& variables, const std::string& input) {
  std::ofstream(streams_ / "in", std::ios::binary) << input;
  std::vector<std::string> command{"surprisal"}, environment_of_it = environment(variables);
  command.insert(command.end(), arguments.begin(), arguments.end());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  posix_spawn_file_actions_addopen(&actions, 0, (streams_ / "in").c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (streams_ / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, (streams_ / "err").c_str(), O_WRONLY | O_CREAT, 0600);
  int error = posix_spawn(&process_, SURPRISAL_PROGRAM, &actions, nullptr, pointers(command).data(),
                          pointers(environment_of_it).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot run " SURPRISAL_PROGRAM);
}

Process::~Process() {
  if (!running()) return;
  send(SIGKILL);
  waitpid(process_, &status_, 0);
}

void Process::send(int signal) const {
  if (!ended_) kill(process_, signal);
}

bool Process::running() {
  if (!ended_) ended_ = waitpid(process_, &status_, WNOHANG) != 0;
  return !ended_;
}

std::string Process::err() const {
  return fs::exists(streams_ / "err") ? read_file(streams_ / "err") : "";
}

bool Process::wait_until(const std::function<bool()>& reached) {
  constexpr std::chrono::minutes kPatience{5};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const bool runs = running();
    if (reached()) return true;
    if (!runs) return false;
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the program hangs:\n" + err());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Outcome Process::wait() {
  wait_until([] { return false; });
  const bool exited = WIFEXITED(status_);
  return {.code = exited ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_),
          .signal = exited ? 0 : WTERMSIG(status_),
          .out = read_file(streams_ / "out"),
          .err = read_file(streams_ / "err")};
}

Workplace::Workplace() {
  write("text.txt", workplace_text());
  tiny_bpe().save(directory_ / "bpe");
  tiny_wordpiece().save(directory_ / "wordpiece");
  save(directory_ / "gpt2", "gpt2", tiny_bpe());
  save(directory_ / "bert", "bert", tiny_wordpiece());
  save(directory_ / "glm", "glm", add_glm_specials(tiny_bpe()));
}

void Workplace::write(const std::string& name, const std::string& content) const {
  std::ofstream(directory_ / name, std::ios::binary) << content;
}

Outcome Workplace::run(const std::vector<std::string>& arguments, const std::string& input) const {
  return Process(directory_.path(), arguments, {}, input).wait();
}

Outcome Workplace::run_with(const std::vector<std::string>& variables,
                            const std::vector<std::string>& arguments) const {
  return Process(directory_.path(), arguments, variables).wait();
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
