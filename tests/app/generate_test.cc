#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/program.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class GenerateVerb : public testing::Test {
 protected:
  Outcome run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "generate");
    return workplace_.run(arguments);
  }
  Workplace workplace_;
};

TEST_F(GenerateVerb, ContinuesAPrompt) {
  const Outcome outcome =
      run({"--model", "gpt2", "--prompt", "the cat", "--max-tokens", "6", "--seed", "3", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json line = outcome.json();
  EXPECT_EQ(line.at("prompt"), "the cat");
  EXPECT_THAT(line.at("text").get<std::string>(), StartsWith("the cat"));
  std::vector<std::int32_t> ids;
  tiny_bpe().encode("the cat", ids);
  for (std::int32_t id : line.at("ids")) ids.push_back(id);
  EXPECT_EQ(line.at("text"), tiny_bpe().decode(ids));
  EXPECT_GT(line.at("nats").get<double>(), 0);
  EXPECT_EQ(line.at("stop") == "max_tokens", line.at("ids").size() == 6);
}

// What grows on the terminal ends as the whole.
TEST_F(GenerateVerb, ShowsTheTextThatJsonHas) {
  for (const std::vector<std::string>& what :
       {std::vector<std::string>{"--model", "gpt2", "--prompt", "the cat"},
        {"--model", "glm", "--infill", "the [MASK] saw a [MASK] there"},
        {"--model", "gpt2", "--prompt", "the cat", "--reverse"}}) {
    std::vector<std::string> arguments = what;
    arguments.insert(arguments.end(), {"--max-tokens", "8", "--temperature", "2", "--seed", "4"});
    const Outcome shown = run(arguments);
    ASSERT_EQ(shown.code, 0) << shown.err;
    arguments.push_back("--json");
    EXPECT_EQ(shown.out, run(arguments).json().at("text").get<std::string>() + "\n");
  }
}

TEST_F(GenerateVerb, WritesSeveralSamples) {
  const std::vector<std::string> arguments = {"--model", "gpt2", "--n", "3", "--max-tokens", "5"};
  const Outcome outcome = run(arguments);
  EXPECT_THAT(outcome.out, AllOf(StartsWith("--- 1\n"), HasSubstr("\n--- 2\n"), HasSubstr("\n--- 3\n")));
  std::vector<std::string> with_json = arguments;
  with_json.push_back("--json");
  const std::vector<Json> lines = run(with_json).json_lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[0].at("ids"), lines[1].at("ids"));
}

// A model trained right to left writes what stands before the prompt.
TEST_F(GenerateVerb, WritesRightToLeft) {
  const Json line =
      run({"--model", "gpt2", "--prompt", " the end.", "--reverse", "--max-tokens", "5", "--json"}).json();
  EXPECT_THAT(line.at("text").get<std::string>(), EndsWith(" the end."));
  EXPECT_GT(line.at("text").get<std::string>().size(), std::string(" the end.").size());
}

TEST_F(GenerateVerb, FillsBlanksInOrder) {
  const std::string text = "the [MASK] saw a [sMASK] and then[gMASK]";
  const Json line = run({"--model", "glm", "--infill", text, "--max-tokens", "4", "--json"}).json();
  EXPECT_EQ(line.at("infill"), text);
  const Json& blanks = line.at("blanks");
  ASSERT_EQ(blanks.size(), 3u);
  EXPECT_EQ(blanks[0].at("mask"), "[MASK]");
  EXPECT_EQ(blanks[1].at("mask"), "[sMASK]");
  EXPECT_EQ(blanks[2].at("mask"), "[gMASK]");
  const auto of = [&](int blank) { return blanks[blank].at("text").get<std::string>(); };
  EXPECT_EQ(line.at("text"), "the" + of(0) + " saw a" + of(1) + " and then" + of(2));
}

// A model of blanks continues a prompt by filling a [gMASK] behind it.
TEST_F(GenerateVerb, AModelOfBlanksContinuesAPrompt) {
  const Json continued = run({"--model", "glm", "--prompt", "the cat", "--max-tokens", "5", "--json"}).json();
  const Json filled =
      run({"--model", "glm", "--infill", "the cat[gMASK]", "--max-tokens", "5", "--json"}).json();
  EXPECT_EQ(continued.at("ids"), filled.at("blanks")[0].at("ids"));
  EXPECT_EQ(continued.at("text"), filled.at("text"));
}

TEST_F(GenerateVerb, RefusesWhatCannotBe) {
  EXPECT_FAILS(run({"--model", "bert", "--prompt", "the cat"}), 2, HasSubstr("continues no text"));
  EXPECT_FAILS(run({"--model", "glm", "--infill", "nothing is missing"}), 2,
               AllOf(HasSubstr("no blank"), HasSubstr("[MASK] or [sMASK] or [gMASK]")));
  EXPECT_FAILS(run({"--model", "gpt2", "--infill", "a [MASK]"}), 2, HasSubstr("add-specials"));
  EXPECT_FAILS(run({"--model", "glm", "--prompt", "a [MASK]"}), 2, HasSubstr("the prompt has a blank"));
  EXPECT_FAILS(run({"--model", "glm", "--prompt", "a", "--beams", "2"}), 2, HasSubstr("beams"));
  EXPECT_FAILS(run({"--model", "glm", "--prompt", "a", "--begin-of-text"}), 2, HasSubstr("begin_of_text"));
  EXPECT_FAILS(run({"--model", "gpt2", "--greedy", "--temperature", "1"}), 2, HasSubstr("xclude"));
  EXPECT_FAILS(run({"--model", "gpt2", "--beams", "2", "--n", "3"}), 2, HasSubstr("more samples than beams"));
  EXPECT_FAILS(run({"--model", "absent", "--prompt", "a"}), 6, HasSubstr("absent"));
  EXPECT_FAILS(run({"--model", "glm", "--infill", "[MASK]", "--reverse"}), 2, HasSubstr("xclude"));
  EXPECT_FAILS(run({"--model", "gpt2", "--prompt", "a", "--top-p", "0"}), 2, HasSubstr("top_p"));
  EXPECT_FAILS(run({"--model", "gpt2", "--prompt", "a", "--n", "0"}), 2, HasSubstr("--n"));
  EXPECT_FAILS(run({"--model", "glm", "--infill", "[MASK]", "--position", "three"}), 2,
               HasSubstr("position"));
  std::string long_text;
  for (int word = 0; word < 40; ++word) long_text += " the cat";
  EXPECT_FAILS(run({"--model", "gpt2", "--prompt", long_text}), 2,
               AllOf(HasSubstr("more tokens than the model has positions"), HasSubstr("at most 20")));
  EXPECT_FAILS(run({"--model", "glm", "--infill", long_text + "[MASK]"}), 2, HasSubstr("at most 20"));
  EXPECT_FAILS(run({"--model", "gpt2", "--prompt", "a\xff"}), 3, HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace surprisal
