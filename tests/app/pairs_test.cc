// Pairs and chats through the program: shown, trained on, completed and scored.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "surprisal/tokenizer.h"

#include "tests/app/program.h"

namespace surprisal {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const std::string kTokenizer = std::string(SURPRISAL_TEST_DATA) + "/golden/chats";

constexpr const char* kChat =
    R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b c"}]})";

class PairVerbs : public testing::Test {
 protected:
  PairVerbs() {
    workplace_.write("chats.jsonl", std::string(kChat) + "\n" + kChat + "\n");
    workplace_.write("e2e.txt", "name : A||A is here .\nname : B||B is here .\n");
    workplace_.write("alpaca.jsonl", "{\"instruction\": \"Say hi.\", \"output\": \"hi\"}\n");
  }
  // A model that knows the tokenizer of all layouts.
  Outcome train(const std::string& data, const std::vector<std::string>& more = {}) {
    workplace_.write(
        "run.toml",
        "[run]\ndirectory = \"run\"\n[data]\ntrain = [\"" + data +
            "\"]\nsequence_length = 96\n[tokenizer]\npath = \"" + kTokenizer +
            "\"\n[objective]\ntrain = \"conditional\"\n[model]\nfamily = \"gpt2\"\n"
            "hidden_size = 12\nnum_hidden_layers = 1\nnum_attention_heads = 3\n[train]\n"
            "max_steps = 2\ntokens_per_step = 192\nmicro_batch_tokens = 96\nlearning_rate = 1e-3\n"
            "threads = 1\n");
    std::vector<std::string> arguments{"train", "run.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace_.run(arguments);
  }
  Workplace workplace_;
};

const std::vector<std::string> kChatml{"--objective.conditional.chat", "chatml"};

TEST_F(PairVerbs, ExplainMarksWhatIsScored) {
  const Outcome shown = workplace_.run({"explain", "--objective", "conditional", "--tokenizer", kTokenizer,
                                        "--objective.conditional.chat", "glm4", "chats.jsonl"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out, R"(sample 1: conditional, 9 rows, 4 targets, document at chats.jsonl:1, epoch 0
rows [0,6) are the prompt; the completion ends
row  token          id   position  block  segment  visible  target          weight  mark
0    [gMASK]        427  0         0      0        [0,1)                            prompt
1    <sop>          428  1         0      0        [0,2)                            prompt
2    <|user|>       430  2         0      0        [0,3)                            prompt
3    \n             198  3         0      0        [0,4)                            prompt
4    a              64   4         0      0        [0,5)                            prompt
5    <|assistant|>  431  5         0      0        [0,6)    \n (198)        1       prompt
6    \n             198  6         0      0        [0,7)    b (65)          1       completion
7    b              65   7         0      0        [0,8)    ␣c (259)        1       completion
8    ␣c             259  8         0      0        [0,9)    <|user|> (430)  1       completion
)");
}

TEST_F(PairVerbs, ARunShowsItsTargetsBeforeItsFirstStep) {
  const Outcome outcome = train("chats.jsonl", kChatml);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::string shown =
      "targets between >>> and <<<: <|im_start|>user\\na<|im_end|>\\n<|im_start|>assistant\\n>>>b "
      "c<|im_end|><<<\n";
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("targets     6 of "), HasSubstr(" rows in 2 pairs (\"conditional\")\n"),
                    HasSubstr("chats.jsonl:1, " + shown), HasSubstr("chats.jsonl:2, " + shown)));
  EXPECT_LT(outcome.err.find("example 2"), outcome.err.find("step 2/2"));
}

TEST_F(PairVerbs, PrefixModelsAreWarnedOf) {
  const Outcome outcome = train("e2e.txt", {"--objective.conditional.prefix_lm", "true"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err,
              HasSubstr("warning: other programs let the rows of a gpt2 see only what stands before them"));
  EXPECT_THAT(train("e2e.txt", {"--run.directory", "other"}).err, Not(HasSubstr("warning")));
}

// Each record of the data that a model was trained on is completed, without its answer.
TEST_F(PairVerbs, GenerateCompletesTheSameRecords) {
  ASSERT_EQ(train("chats.jsonl", kChatml).code, 0);
  const Tokenizer tokenizer = Tokenizer::load(kTokenizer);
  auto prompts = [&](const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"generate", "--model", "run/latest", "--max-tokens",
                                       "3",        "--json",  "--inputs",   file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = workplace_.run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    std::vector<std::string> texts;
    for (const Json& line : outcome.json_lines()) {
      texts.push_back(line.at("text").get<std::string>());
      const std::string completion = line.at("completion");
      EXPECT_THAT(texts.back(), EndsWith(completion));
      texts.back().resize(texts.back().size() - completion.size());
    }
    return texts;
  };
  EXPECT_THAT(prompts("chats.jsonl", kChatml),
              testing::Each(std::string("<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n")));
  EXPECT_EQ(prompts("e2e.txt"), (std::vector<std::string>{"name : A<|endoftext|>", "name : B<|endoftext|>"}));
  EXPECT_THAT(
      prompts("alpaca.jsonl").at(0),
      AllOf(testing::StartsWith("<|endoftext|>Below is an instruction"), EndsWith("### Response:\n")));
  EXPECT_EQ(prompts("e2e.txt", {"--objective.conditional.begin_of_text", "before"}).at(1),
            "<|endoftext|>name : B");
  // A model that was not trained by pairs begins a text as it does any.
  workplace_.write("prompts.jsonl",
                   "{\"prompt\": \"the cat\"}\n{\"prompt\": \"the dog\", \"completion\": \" ran\"}\n");
  const Outcome plain =
      workplace_.run({"generate", "--model", "gpt2", "--seed", "3", "--json", "--inputs", "prompts.jsonl"});
  ASSERT_EQ(plain.json_lines().size(), 2u) << plain.err;
  for (const Json& line : plain.json_lines()) {
    EXPECT_EQ(to_line(OrderedJson(line)),
              to_line(OrderedJson(workplace_
                                      .run({"generate", "--model", "gpt2", "--seed", "3", "--json",
                                            "--prompt", line.at("prompt")})
                                      .json())));
  }
}

// A model of blanks fills one behind the prompt of a record, as behind any.
TEST_F(PairVerbs, ModelsOfBlanksCompleteRecordsOfTexts) {
  workplace_.write("prompts.jsonl", "{\"prompt\": \"the cat\"}\n");
  const std::vector<std::string> drawing{"generate", "--model",      "glm", "--seed",
                                         "3",        "--max-tokens", "4",   "--json"};
  std::vector<std::string> file = drawing, prompt = drawing;
  file.insert(file.end(), {"--inputs", "prompts.jsonl"});
  prompt.insert(prompt.end(), {"--prompt", "the cat"});
  const Outcome of_file = workplace_.run(file);
  ASSERT_EQ(of_file.code, 0) << of_file.err;
  EXPECT_EQ(of_file.out, workplace_.run(prompt).out);
  EXPECT_FAILS(workplace_.run({"generate", "--model", "glm", "--inputs", "chats.jsonl"}), 2,
               HasSubstr("a chat is answered by a decoder, not by a model of blanks"));
}

TEST_F(PairVerbs, ScoreIsTheLossOfTheCompletions) {
  ASSERT_EQ(train("chats.jsonl", kChatml).code, 0);
  for (const std::string file : {"chats.jsonl", "e2e.txt", "alpaca.jsonl"}) {
    std::vector<std::string> scoring{"score",       "--model", "run/latest", "--rule",
                                     "conditional", "--json",  file},
        losing{"loss",   "--model", "run/latest",        "--objective", "conditional",
               "--text", file,      "--sequence-length", "96",          "--json"};
    scoring.insert(scoring.end(), kChatml.begin(), kChatml.end());
    losing.insert(losing.end(), kChatml.begin(), kChatml.end());
    const Outcome scored = workplace_.run(scoring), loss = workplace_.run(losing);
    ASSERT_EQ(scored.code, 0) << scored.err;
    ASSERT_EQ(loss.code, 0) << loss.err;
    const Json token = loss.json().at("terms").at("token");
    EXPECT_EQ(scored.json().at("tokens").get<double>(), token.at("weight").get<double>());
    EXPECT_NEAR(scored.json().at("nats").get<double>(), token.at("sum").get<double>(), 1e-3);
    EXPECT_EQ(scored.json().at("rule"), "conditional");
  }
}

TEST_F(PairVerbs, BadInputIsNamed) {
  workplace_.write("tool.jsonl",
                   "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"tool\", "
                   "\"content\": \"b\"}]}\n");
  workplace_.write("blank.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\": \" \"}\n");
  workplace_.write("empty.jsonl", "");
  workplace_.write("bars.txt", "no bars\n");
  auto explain = [&](const std::string& file, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"explain",     "--objective", "conditional",
                                       "--tokenizer", kTokenizer,    file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return workplace_.run(arguments);
  };
  EXPECT_FAILS(
      explain("tool.jsonl", kChatml), 3,
      HasSubstr("tool.jsonl:1, messages[1]: no layout of chats has the role \"tool\": found user, tool"));
  EXPECT_FAILS(explain("chats.jsonl"), 2,
               HasSubstr("chats.jsonl:1, objective.conditional.chat: the tokenizer has the "
                         "special tokens of several chat layouts"));
  EXPECT_FAILS(explain("chats.jsonl", {"--objective.conditional.chat", "lama"}), 2,
               HasSubstr("objective.conditional.chat"));
  EXPECT_FAILS(explain("blank.jsonl"), 3, HasSubstr("blank.jsonl:1: the record has no field \"completion\""));
  EXPECT_FAILS(explain("empty.jsonl"), 3, HasSubstr("the file is empty"));
  EXPECT_FAILS(explain("bars.txt"), 3, HasSubstr("bars.txt:1: the line has no \"||\""));
  EXPECT_FAILS(
      explain("alpaca.jsonl", {"--sequence-length", "8", "--objective.conditional.too_long", "drop"}), 3,
      HasSubstr("no target remains"));
  EXPECT_FAILS(workplace_.run({"generate", "--model", "gpt2", "--inputs", "blank.jsonl"}), 3,
               HasSubstr("blank.jsonl:2: the prompt has no text"));
  EXPECT_FAILS(workplace_.run({"generate", "--model", "gpt2", "--inputs", "chats.jsonl"}), 2,
               HasSubstr("the tokenizer has the special tokens of no chat layout"));
  EXPECT_FAILS(workplace_.run({"generate", "--model", "gpt2", "--prompt", "a", "--objective.conditional.chat",
                               "chatml"}),
               2, HasSubstr("--objective.conditional.chat has no meaning here"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "--rule", "conditional", "text.txt"}), 3,
               HasSubstr("text.txt:1: the line has no \"||\""));
}

}  // namespace
}  // namespace surprisal
