// Choices through the program: shown, evaluated and scored.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/program.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

class ChoiceVerbs : public testing::Test {
 protected:
  ChoiceVerbs() {
    workplace_.write(
        "choices.jsonl",
        "{\"text\": \"the [MASK] sat\", \"options\": [\"cat\", \" dog ran\"], \"label\": 1}\n"
        "{\"text\": \"a dog [MASK]\", \"options\": [\"sat\", \"ran here\", \"saw\"], \"label\": 0}\n");
  }
  Workplace workplace_;
};

TEST_F(ChoiceVerbs, ExplainShowsTheOptionsAndTheAnswer) {
  glm_tokenizer().save(workplace_ / "words");
  workplace_.write("words.jsonl",
                   "{\"text\": \"w11 [MASK]\", \"options\": [\"w20\", \"w21\"], \"label\": 1}\n"
                   "{\"text\": \"w11 [MASK]\", \"options\": [\"w20\", \"w21 w22\"], \"label\": 0}\n");
  const Outcome shown = workplace_.run(
      {"explain", "--objective", "cloze", "--tokenizer", "words", "--samples", "2", "words.jsonl"});
  ASSERT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out, R"(sample 1: cloze, 4 rows, 2 targets, document at words.jsonl:1, epoch 0
choice: 2 options, weight 1
option 0: row 3 w20 (20)
option 1: row 3 w21 (21): the answer
row  token             id  position  block  segment  visible  target              weight  mark
0    [CLS]             2   0         0      0        [0,3)                                special
1    w11               11  1         0      0        [0,3)
2    [MASK]            4   2         0      0        [0,3)                                blank
3    <|startofpiece|>  7   2         1      0        [0,4)    w20 (20), w21 (21)  1, 1    options

sample 2: cloze, 11 rows, 5 targets, document at words.jsonl:2, epoch 0
choice: 2 options, weight 1
option 0: row 3 w20 (20), row 4 <|endofpiece|> (8): the answer
option 1: row 8 w21 (21), row 9 w22 (22), row 10 <|endofpiece|> (8)
row  token             id  position  block  segment  visible  target              weight  mark
0    [CLS]             2   0         0      0        [0,3)                                special
1    w11               11  1         0      0        [0,3)
2    [MASK]            4   2         0      0        [0,3)                                blank
3    <|startofpiece|>  7   2         1      0        [0,4)    w20 (20)            1       option 0
4    w20               20  2         2      0        [0,5)    <|endofpiece|> (8)  1       option 0
5    [CLS]             2   0         0      0        [5,8)                                special
6    w11               11  1         0      0        [5,8)
7    [MASK]            4   2         0      0        [5,8)                                blank
8    <|startofpiece|>  7   2         1      0        [5,9)    w21 (21)            1       option 1
9    w21               21  2         2      0        [5,10)   w22 (22)            1       option 1
10   w22               22  2         3      0        [5,11)   <|endofpiece|> (8)  1       option 1
)");
}

// What explain prints is what loss evaluates, and the choice's surprisal follows from its targets'.
TEST_F(ChoiceVerbs, StreamsGiveTheLossOfTheText) {
  const Outcome streams = workplace_.run({"explain", "--objective", "cloze", "--tokenizer", "glm", "--json",
                                          "--sequence-length", "20", "--samples", "2", "choices.jsonl"});
  ASSERT_EQ(streams.code, 0) << streams.err;
  const Outcome from_streams =
      workplace_.run({"loss", "--model", "glm", "--streams", "-", "--json"}, streams.out);
  const Outcome from_text =
      workplace_.run({"loss", "--model", "glm", "--objective", "cloze", "--text", "choices.jsonl",
                      "--sequence-length", "20", "--samples", "2", "--json", "--gradients", "g.safetensors"});
  ASSERT_EQ(from_streams.code, 0) << from_streams.err;
  ASSERT_EQ(from_text.code, 0) << from_text.err;
  const Json loss = from_streams.json(), trained = from_text.json();
  EXPECT_NEAR(loss.at("loss"), trained.at("loss"), 1e-5);
  EXPECT_EQ(loss.at("terms").at("token").at("weight"), 0);
  EXPECT_EQ(loss.at("terms").at("choice").at("weight"), 2);
  double sum = 0;
  const std::vector<Json> lines = streams.json_lines();
  for (std::size_t line = 0; line < 2; ++line) {
    const Json& choice = lines[line].at("choice").at(0);
    std::vector<double> options;
    for (const Json& option : choice.at("options")) {
      options.push_back(0);
      for (std::size_t target = option[0]; target < option[1].get<std::size_t>(); ++target) {
        options.back() += loss.at("surprisal")[line][target].get<double>();
      }
    }
    double total = 0;
    for (double option : options) total += std::exp(-option);
    const double expected = options[choice.at("answer").get<std::size_t>()] + std::log(total);
    EXPECT_NEAR(loss.at("choice_surprisal")[line][0], expected, 1e-4);
    sum += expected;
  }
  EXPECT_NEAR(loss.at("terms").at("choice").at("sum"), sum, 1e-4);
  EXPECT_NEAR(loss.at("loss"), sum / 2, 1e-4);
  EXPECT_THAT(workplace_.run({"loss", "--model", "glm", "--streams", "-"}, streams.out).out,
              HasSubstr("\nchoice "));
}

TEST_F(ChoiceVerbs, ScoreGivesExamplesNatsAndAccuracy) {
  const Outcome outcome =
      workplace_.run({"score", "--model", "glm", "--rule", "cloze", "--json", "choices.jsonl"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json score = outcome.json();
  const Json loss = workplace_
                        .run({"loss", "--model", "glm", "--objective", "cloze", "--text", "choices.jsonl",
                              "--sequence-length", "20", "--json"})
                        .json();
  EXPECT_EQ(score.at("rule"), "cloze");
  EXPECT_EQ(score.at("examples"), 2);
  EXPECT_NEAR(score.at("nats"), loss.at("terms").at("choice").at("sum"), 1e-5);
  EXPECT_NEAR(score.at("nats_per_example"), loss.at("loss"), 1e-5);
  EXPECT_THAT(score.at("accuracy").get<double>(), testing::AnyOf(0.0, 0.5, 1.0));
  EXPECT_THAT(workplace_.run({"score", "--model", "glm", "--rule", "cloze", "choices.jsonl"}).out,
              AllOf(HasSubstr("examples       2\n"), HasSubstr("nats an example"), HasSubstr("accuracy ")));
}

TEST_F(ChoiceVerbs, ScoreMakesThemByPatternAndVerbalizer) {
  workplace_.write("same.jsonl",
                   "{\"text\": \"the cat [MASK]\", \"options\": [\"ran\", \"sat\"], \"label\": 1}\n"
                   "{\"text\": \"a dog [MASK]\", \"options\": [\"ran\", \"sat\"], \"label\": 0}\n");
  workplace_.write("labels.jsonl",
                   "{\"review\": \"the cat\", \"label\": 5}\n{\"review\": \"a dog\", \"label\": 1}\n");
  const Outcome made = workplace_.run(
      {"score", "--model", "glm", "--rule", "cloze", "--json", "--objective.cloze.pattern", "{review} [MASK]",
       "--objective.cloze.verbalizer", "[\"1 = ran\", \"5 = sat\"]", "labels.jsonl"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(made.out,
            workplace_.run({"score", "--model", "glm", "--rule", "cloze", "--json", "same.jsonl"}).out);
}

TEST_F(ChoiceVerbs, ScoreRefusesWhatItCannotDo) {
  EXPECT_FAILS(workplace_.run({"score", "--model", "gpt2", "--rule", "cloze", "choices.jsonl"}), 2,
               HasSubstr("objective cloze needs a tokenizer with [MASK]"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "glm", "--rule", "windows", "--objective.cloze.form",
                               "auto", "text.txt"}),
               2, HasSubstr("objective.cloze.form has no meaning for rule windows"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "glm", "text.txt"}), 2,
               HasSubstr("a model of blanks has no rule of its own for a whole text"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "glm", "--rule", "cloze", "text.txt"}), 3,
               HasSubstr("the file holds texts, and nothing here reads one"));
  EXPECT_FAILS(workplace_.run({"score", "--model", "bert", "--rule", "cloze", "choices.jsonl"}), 3,
               HasSubstr("of the choice is several tokens"));
}

}  // namespace
}  // namespace surprisal
