// What the program says of itself, and of words that it does not know.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/program.h"

namespace surprisal {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Usage : public testing::Test {
 protected:
  Workplace workplace_;
};

TEST_F(Usage, EveryVerbHasHelpWithAnExample) {
  const std::vector<std::vector<std::string>> verbs{{"tokenizer"},
                                                    {"tokenizer", "train"},
                                                    {"tokenizer", "encode"},
                                                    {"tokenizer", "decode"},
                                                    {"train"},
                                                    {"score"},
                                                    {"generate"},
                                                    {"loss"},
                                                    {"explain"},
                                                    {"doctor"}};
  for (std::vector<std::string> verb : verbs) {
    std::string name = "surprisal";
    for (const std::string& word : verb) name += " " + word;
    verb.push_back("--help");
    Outcome outcome = workplace_.run(verb);
    EXPECT_EQ(outcome.code, 0) << name;
    EXPECT_THAT(outcome.out, AllOf(HasSubstr("Usage: " + name), HasSubstr("Example: surprisal "),
                                   HasSubstr(name.substr(10))));
    EXPECT_EQ(outcome.err, "");
  }
  Outcome whole = workplace_.run({"--help"});
  EXPECT_EQ(whole.code, 0);
  for (const auto& verb : verbs) EXPECT_THAT(whole.out, HasSubstr("\n  " + verb[0] + " "));
  EXPECT_THAT(whole.out, HasSubstr("Examples:"));
}

TEST_F(Usage, Version) {
  Outcome outcome = workplace_.run({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("surprisal [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Usage, MisspeltWordsGetASuggestion) {
  EXPECT_FAILS(workplace_.run({"trian", "run.toml"}), 2,
               AllOf(HasSubstr("unknown verb trian"), HasSubstr("did you mean train?")));
  EXPECT_FAILS(workplace_.run({"tokenizer", "encod", "f"}), 2, HasSubstr("did you mean encode?"));
  EXPECT_FAILS(workplace_.run({"dance"}), 2, AllOf(HasSubstr("unknown verb dance"), HasSubstr("explain")));
  EXPECT_FAILS(workplace_.run({"score", "--modle", "gpt2", "text.txt"}), 2,
               HasSubstr("did you mean --model?"));
  workplace_.write("run.toml", tiny_toml("causal"));
  EXPECT_FAILS(workplace_.run({"train", "run.toml", "--train.learning_rat", "1"}), 2,
               HasSubstr("did you mean --train.learning_rate?"));
  EXPECT_FAILS(workplace_.run({"explain", "--objective", "mlm", "--tokenizer", "wordpiece", "text.txt",
                               "--objective.mlm.probabilty", "0.3"}),
               2, HasSubstr("did you mean --objective.mlm.probability?"));
  EXPECT_FAILS(workplace_.run({"explain", "--objective", "casual", "--tokenizer", "bpe", "text.txt"}), 2,
               AllOf(HasSubstr("unknown objective casual"), HasSubstr("did you mean causal?")));
}

TEST_F(Usage, WhatIsMissing) {
  EXPECT_FAILS(workplace_.run({}), 2, HasSubstr("required"));
  EXPECT_FAILS(workplace_.run({"tokenizer"}), 2, HasSubstr("required"));
  EXPECT_FAILS(workplace_.run({"train"}), 2, HasSubstr("no configuration"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2"}), 2, HasSubstr("FILE"));
  EXPECT_FAILS(workplace_.run({"explain", "--tokenizer", "bpe", "text.txt"}), 2, HasSubstr("--objective"));
  EXPECT_FAILS(workplace_.run({"loss", "--model", "gpt2"}), 2,
               AllOf(HasSubstr("--streams"), HasSubstr("--objective"), HasSubstr("--text")));
  EXPECT_FAILS(workplace_.run({"train", "run.toml", "--train.max_steps"}), 2, HasSubstr("has no value"));
}

// The parser must not take an override's value for the file.
TEST_F(Usage, OverridesStandAnywhere) {
  workplace_.write("run.toml", tiny_toml("causal"));
  EXPECT_EQ(workplace_.run({"train", "--train.max_steps", "1", "run.toml", "--run.directory", "first"}).code,
            0);
  EXPECT_TRUE(std::filesystem::exists(workplace_ / "first/step-00000001"));
  EXPECT_EQ(workplace_.run({"train", "--train.max_steps=1", "--run.directory", "second", "run.toml"}).code,
            0);
  EXPECT_FAILS(workplace_.run({"train", "--resume", "--run.directory", "first"}), 2,
               HasSubstr("no configuration"));
  std::vector<std::string> explain{"explain", "--objective", "mlm", "--tokenizer", "wordpiece", "--json"};
  auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = explain;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace_.run(arguments);
  };
  Outcome before = with({"--objective.mlm.probability", "0.9", "text.txt"});
  EXPECT_EQ(before.code, 0) << before.err;
  EXPECT_EQ(before.out, with({"text.txt", "--objective.mlm.probability", "0.9"}).out);
  EXPECT_NE(before.out, with({"text.txt"}).out);
  EXPECT_EQ(
      workplace_.run({"score", "--model", "gpt2", "--data.document", "line", "--json", "text.txt"}).code, 0);
}

TEST_F(Usage, LossTakesStreamsOrText) {
  workplace_.write("s.jsonl",
                   R"({"token":[1,2],"visible":[[0,1],[0,2]],"target":[[1,1,1],[0,1,1],[0,2,1]]})");
  std::vector<std::string> loss{"loss", "--model", "gpt2", "--streams", "s.jsonl", "--json"};
  Outcome outcome = workplace_.run(loss);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.json()["surprisal"][0].size(), 3u);  // in the order of the file
  for (const char* option : {"--samples", "--epoch", "--text"}) {
    std::vector<std::string> both = loss;
    both.insert(both.end(), {option, "1"});
    EXPECT_FAILS(workplace_.run(both), 2, HasSubstr("beside --streams"));
  }
}

TEST_F(Usage, ResultsThatCannotBeWrittenAreAnError) {
  Outcome outcome = workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "--json", "text.txt"});
  ASSERT_EQ(outcome.code, 0);
  std::string command = "cd '" + (workplace_ / ".").string() +
                        "' && '" SURPRISAL_PROGRAM
                        "' tokenizer encode --tokenizer bpe --json text.txt > /dev/full 2> err";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 6);
}

// Everything that the first answer to a bug report would ask for.
TEST_F(Usage, Doctor) {
  Outcome outcome = workplace_.run({"doctor", "--json"});
  ASSERT_EQ(outcome.code, 0);
  const Json json = outcome.json();
  EXPECT_GT(json.at("peak_gflops"), 0);
  EXPECT_GT(json.at("read_bandwidth_gb_per_s"), 0);
  EXPECT_GE(json.at("cores"), 1);
  EXPECT_GE(json.at("threads"), 1);
  EXPECT_GT(json.at("memory_available_bytes"), 0);
  for (const char* text : {"version", "build", "system", "cpu", "simd", "parallel", "gemm", "gemm_kernels"}) {
    EXPECT_NE(json.at(text).get<std::string>(), "") << text;
  }
  EXPECT_TRUE(json.at("instruction_sets").is_array());
  for (const char* absent : {"cuda", "mpi"}) EXPECT_TRUE(json.at(absent).is_null());
  for (const char* library : {"zlib", "zstd", "PCRE2", "utf8proc", "Unicode", "xxHash", "Highway", "fmt",
                              "nlohmann-json", "toml++", "CLI11"}) {
    EXPECT_THAT(json.at("libraries").at(library).get<std::string>(),
                testing::ContainsRegex("^[0-9]+\\.[0-9]+"))
        << library;
  }
  outcome = workplace_.run({"doctor"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, StartsWith("surprisal "));
  for (const std::string& said : {json.at("cpu").get<std::string>(), json.at("gemm").get<std::string>(),
                                  json.at("gemm_kernels").get<std::string>(), std::string("zlib "),
                                  std::string("without CUDA"), std::string("GFLOP/s"), std::string("GB/s")}) {
    EXPECT_THAT(outcome.out, HasSubstr(said));
  }
}

}  // namespace
}  // namespace surprisal
