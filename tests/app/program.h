// The built program, run as a user runs it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {

struct Outcome {
  int code = -1;  // exit code
  std::string out, err;
  Json json() const { return parse_json(out, "standard output"); }
  std::vector<Json> json_lines() const;
};

// A directory with files of a tiny language, in which the program runs:
//   text.txt, bpe/, wordpiece/, gpt2/ and bert/ (models of 20 positions with tokenizers)
class Workplace {
 public:
  Workplace();

  Outcome run(const std::vector<std::string>& arguments, const std::string& input = {}) const;
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
