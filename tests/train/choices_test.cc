// Runs on choices: options for a blank, told apart by the text around it.
#include <fmt/format.h>

#include "core/random.h"
#include "tests/core/error_matchers.h"
#include "tests/objective/tokenizers.h"
#include "tests/train/tiny_run.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

struct Stopped {};

struct Case {
  const char* name;
  const char* family;
  const char* second;  // the second option
};
void PrintTo(const Case& test, std::ostream* stream) {
  *stream << test.name;
}

// The first word says which option is right: w11 the first, w12 the second.
std::string records(int count, std::uint64_t seed, const std::string& second) {
  Random random({.seed = seed});
  auto word = [&] { return fmt::format("w{}", 30 + random.below(20)); };
  std::string lines;
  for (int index = 0; index < count; ++index) {
    const std::uint32_t label = random.below(2);
    lines += fmt::format(R"({{"text": "w{} {} [MASK] {}", "options": ["w20", "{}"], "label": {}}})",
                         11 + label, word(), word(), second, label) +
             "\n";
  }
  return lines;
}

class ChoiceRun : public testing::TestWithParam<Case> {
 protected:
  ChoiceRun() {
    const bool glm = std::string(GetParam().family) == "glm";
    (glm ? glm_tokenizer() : word_tokenizer()).save(runs_ / "words");
    runs_.write("choices.jsonl", records(200, 1, GetParam().second));
    runs_.write("held-out.jsonl", records(40, 2, GetParam().second));
  }
  Configuration configuration(const std::string& run) const {
    Configuration made = runs_.configuration("cloze", run);
    made.tokenizer.path = runs_ / "words";
    made.model.family = GetParam().family;
    made.data.train = {runs_ / "choices.jsonl"};
    made.data.validation = {runs_ / "held-out.jsonl"};
    made.train.tokens_per_step = 512;
    made.train.micro_batch_tokens = 128;
    made.train.max_steps = 150;
    made.train.eval_steps = made.train.save_steps = 50;
    made.train.metric_for_best_model = "eval_choice_accuracy";
    return made;
  }
  std::vector<double> accuracies(const std::string& run) const {
    std::vector<double> found;
    for (const Json& line : read_lines(runs_ / (run + "/metrics.jsonl"))) {
      if (line.contains("eval_choice_accuracy")) found.push_back(line.at("eval_choice_accuracy"));
    }
    return found;
  }
  TinyRuns runs_;
};
INSTANTIATE_TEST_SUITE_P(Forms, ChoiceRun,
                         testing::Values(Case{"single_token", "glm", "w21"},
                                         Case{"multi_token", "glm", "w21 w22"},
                                         Case{"masked", "bert", "w21"}),
                         [](const auto& test) { return test.param.name; });

TEST_P(ChoiceRun, LearnsWhichOptionIsRight) {
  const RunSummary summary = train_quietly(configuration("run"));
  const std::vector<double> found = accuracies("run");
  ASSERT_GE(found.size(), 3u);
  EXPECT_LT(found.front(), 0.8);
  EXPECT_EQ(found.back(), 1);
  ASSERT_TRUE(summary.evaluation);
  EXPECT_EQ(summary.evaluation->choice_accuracy, 1);
  EXPECT_LT(summary.evaluation->loss, 0.3);
  EXPECT_EQ(summary.evaluation->token.weight, 0);
}

TEST_P(ChoiceRun, ResumedOrOnTwoThreadsItLeavesTheSameBytes) {
  auto with_dropout = [&](const char* run) {
    Configuration made = configuration(run);
    made.model.hidden_dropout_prob = made.model.attention_probs_dropout_prob = 0.2;
    made.train.max_steps = 12;
    made.train.eval_steps = made.train.save_steps = 4;
    return made;
  };
  train_quietly(with_dropout("whole"));
  Configuration threads = with_dropout("threads");
  threads.train.threads = 2;
  train_quietly(threads);
  const Configuration stopped = with_dropout("stopped");
  Recorder observer;
  observer.on_step = [](std::int64_t step) {
    if (step == 6) throw Stopped();
  };
  EXPECT_THROW(train(stopped, false, observer), Stopped);
  train_quietly(stopped, true);
  const auto wanted = timeless_content(runs_ / "whole");
  EXPECT_FALSE(wanted.empty());
  EXPECT_TRUE(timeless_content(runs_ / "threads") == wanted);
  EXPECT_TRUE(timeless_content(runs_ / "stopped") == wanted);
}

TEST_P(ChoiceRun, MixesWithText) {
  if (std::string(GetParam().family) != "glm") return;
  std::string text;
  for (int document = 0; document < 30; ++document)
    text += fmt::format("w30 w31 w32 w{} w33 w34.\n\n", 40 + document);
  runs_.write("text.txt", text);
  Configuration made = configuration("mixed");
  made.objective.train = "0.5 blank_infilling | 0.5 cloze";
  made.data.train.push_back(runs_ / "text.txt");
  made.data.validation.push_back(runs_ / "text.txt");
  made.train.max_steps = 8;
  made.train.eval_steps = made.train.save_steps = 8;
  const RunSummary summary = train_quietly(made);
  ASSERT_TRUE(summary.evaluation);
  EXPECT_GT(summary.evaluation->token.weight, 0);
  EXPECT_EQ(summary.evaluation->choice.weight, 40);
  EXPECT_NEAR(summary.evaluation->loss, summary.evaluation->token.mean() + summary.evaluation->choice.mean(),
              1e-9);
  const std::vector<Json> lines = read_lines(runs_ / "mixed/metrics.jsonl");
  const Json& last = lines.back();
  EXPECT_TRUE(last.contains("eval_choice_loss")) << last.dump();
  EXPECT_TRUE(last.contains("eval_choice_loss/cloze"));
  EXPECT_TRUE(last.contains("eval_token_loss/blank_infilling"));
  EXPECT_FALSE(last.contains("eval_choice_loss/blank_infilling"));
}

TEST_P(ChoiceRun, AnOptionGivenTwiceIsNamedBeforeTheFirstStep) {
  const std::string twice = R"({"text": "[MASK]", "options": ["w20", "w21", "w20"], "label": 0})";
  for (const char* file : {"choices.jsonl", "held-out.jsonl"}) {
    runs_.write("choices.jsonl", records(200, 1, GetParam().second));
    runs_.write(file, records(3, 1, GetParam().second) + twice + "\n");
    Recorder observer;
    EXPECT_ERROR(train(configuration(std::string("run on ") + file), false, observer), data,
                 HasSubstr(std::string(file) + ":4: two options of the choice are the same tokens: found "
                                               "options 0 and 2, expected options that differ"));
  }
}

TEST_P(ChoiceRun, AMicroBatchThatIsTooSmallIsNamedBeforeTheFirstStep) {
  Configuration made = configuration("small");
  const bool glm = std::string(GetParam().family) == "glm";
  (glm ? glm_tokenizer(200) : word_tokenizer(200)).save(runs_ / "words");
  std::string options;
  for (int option = 0; option < 130; ++option) options += fmt::format(", \"w{}\"", 20 + option);
  runs_.write("choices.jsonl", records(200, 1, GetParam().second) +
                                   R"({"text": "[MASK]", "options": ["w11")" + options +
                                   "], \"label\": 0}\n");
  EXPECT_ERROR(train_quietly(made), usage,
               AllOf(HasSubstr("choices.jsonl:201: the sequences of a sample are longer than a micro-batch"),
                     HasSubstr("raise train.micro_batch_tokens to 131 or more")));
}

}  // namespace
}  // namespace surprisal
