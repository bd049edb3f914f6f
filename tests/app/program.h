// The built program, run as a user runs it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "core/json.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {

struct Outcome {
  int code = -1;   // exit code; 128 + the signal, as a shell says it, where one ended the program
  int signal = 0;  // that one
  std::string out, err;
  Json json() const { return parse_json(out, "standard output"); }
  std::vector<Json> json_lines() const;
};

// The program while it runs. Killed where nobody waited for its end.
class Process {
 public:
  // In `directory`. `variables`: "NAME=value", set beside or instead of ours, or "NAME", which is taken away.
  Process(const std::filesystem::path& directory, const std::vector<std::string>& arguments,
          const std::vector<std::string>& variables = {}, const std::string& input = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;
  bool running();
  std::string err() const;  // so far
  // Returns once `reached` is true, or the program has ended: then false.
  bool wait_until(const std::function<bool()>& reached);
  // Throws where the program hangs, which it is given minutes to refute.
  Outcome wait();

 private:
  TemporaryDirectory streams_;
  pid_t process_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

// A directory with files of a tiny language, in which the program runs:
//   text.txt, bpe/, wordpiece/, gpt2/, bert/ and glm/ (models of 20 positions with tokenizers)
class Workplace {
 public:
  Workplace();

  Outcome run(const std::vector<std::string>& arguments, const std::string& input = {}) const;
  Outcome run_with(const std::vector<std::string>& variables,
                   const std::vector<std::string>& arguments) const;
  const std::filesystem::path& path() const { return directory_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return directory_ / name; }
  void write(const std::string& name, const std::string& content) const;

 private:
  TemporaryDirectory directory_;
};

// 6 documents.
const std::string& workplace_text();

// A configuration of 4 steps on text.txt: "causal" with bpe/ and gpt2, else with wordpiece/ and bert.
std::string tiny_toml(const std::string& objective);

}  // namespace surprisal

// The program failed with that exit code, one line on stderr that matches, and nothing on stdout.
#define EXPECT_FAILS(outcome, exit_code, message)                                        \
  do {                                                                                   \
    ::surprisal::Outcome failed = (outcome);                                             \
    EXPECT_EQ(failed.code, exit_code) << failed.err;                                     \
    EXPECT_THAT(failed.err, ::testing::AllOf(::testing::HasSubstr("surprisal: error: "), \
                                             ::testing::EndsWith("\n"), message));       \
    EXPECT_EQ(failed.out, "");                                                           \
  } while (false)
