// A run that was stopped and resumed leaves the same bytes as one that never stopped.
#include <filesystem>
#include <ostream>
#include <stdexcept>

#include "surprisal/tokenizer.h"

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/infer/tiny_language.h"
#include "tests/train/tiny_run.h"
#include "train/trainer.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};

// Runs until `observer` throws Stopped.
void stop(const Configuration& configuration, Recorder& observer, bool resume = false) {
  EXPECT_THROW(train(configuration, resume, observer), Stopped);
}

void stop_after_step(const Configuration& configuration, std::int64_t last, bool resume = false) {
  Recorder observer;
  observer.on_step = [last](std::int64_t step) {
    if (step == last) throw Stopped();
  };
  stop(configuration, observer, resume);
}

void expect_same(const fs::path& run, const fs::path& expected) {
  auto content = timeless_content(run), wanted = timeless_content(expected);
  std::vector<std::string> names, wanted_names;
  for (const auto& file : content) names.push_back(file.first);
  for (const auto& file : wanted) wanted_names.push_back(file.first);
  ASSERT_EQ(names, wanted_names);
  for (std::size_t file = 0; file < content.size(); ++file) {
    EXPECT_TRUE(content[file] == wanted[file]) << run << " " << names[file];
  }
}

struct Case {
  const char* objective;
  double dropout;
};
// A name that is the same in every process.
void PrintTo(const Case& test, std::ostream* stream) {
  *stream << test.objective << " with dropout " << test.dropout;
}

class Resume : public testing::TestWithParam<Case> {
 protected:
  Configuration configuration(const std::string& run) {
    Configuration configuration = runs_.configuration(GetParam().objective, run);
    configuration.model.hidden_dropout_prob = configuration.model.attention_probs_dropout_prob =
        GetParam().dropout;
    configuration.train.save_steps = 3;  // evaluations, which save too, come every 4
    return configuration;
  }
  TinyRuns runs_;
};
INSTANTIATE_TEST_SUITE_P(Objectives, Resume,
                         testing::Values(Case{"mlm + nsp", 0}, Case{"mlm + nsp", 0.2}, Case{"mlm", 0.2},
                                         Case{"nsp", 0.2}, Case{"causal", 0}, Case{"causal", 0.2},
                                         Case{"reverse", 0.2}, Case{"0.5 causal | 0.5 reverse", 0.2}));

TEST_P(Resume, LeavesTheSameBytesAsNeverHavingStopped) {
  train_quietly(configuration("whole"));
  // Before there is a checkpoint; just before one would be saved; again and again, with nothing new between.
  for (const std::vector<std::int64_t>& stops : std::vector<std::vector<std::int64_t>>{{3}, {5, 6, 6, 10}}) {
    Configuration stopped = configuration("stopped" + std::to_string(stops.size()));
    for (std::size_t stop = 0; stop < stops.size(); ++stop) stop_after_step(stopped, stops[stop], stop > 0);
    Recorder observer;
    train(stopped, true, observer);
    EXPECT_EQ(observer.messages.size(), 1u);
    EXPECT_EQ(observer.steps.front().step, stops.back() == 3 ? 1 : 10);
    expect_same(stopped.run.directory, runs_ / "whole");
  }
}

TEST(ResumePlaces, StoppedWhileEvaluatingOrAfterSaving) {
  TinyRuns runs;
  train_quietly(runs.configuration("causal", "whole"));
  Configuration evaluating = runs.configuration("causal", "evaluating"),
                saving = runs.configuration("causal", "saving");
  Recorder observer;
  observer.on_evaluation = [](std::int64_t step) {
    if (step == 8) throw Stopped();
  };
  stop(evaluating, observer);
  train_quietly(evaluating, true);
  expect_same(evaluating.run.directory, runs / "whole");
  Recorder second;
  second.on_save = [&] {
    if (second.checkpoints.size() == 2) throw Stopped();
  };
  stop(saving, second);
  Recorder resumed;
  train(saving, true, resumed);
  EXPECT_EQ(resumed.steps.front().step, 9);
  EXPECT_THAT(resumed.messages, Contains(AllOf(HasSubstr("going on from"), HasSubstr("step-00000008"))));
  expect_same(saving.run.directory, runs / "whole");
}

// Many small windows of documents and several epochs: the sampler's place is more than a count of packs.
TEST(ResumePlaces, ManyEpochs) {
  TinyRuns runs;
  auto configuration = [&](const char* run) {
    Configuration made = runs.configuration("mlm + nsp", run);
    made.data.train = {runs / "held-out.txt"};
    made.train.max_steps = 24;
    made.train.eval_steps = 0;
    made.train.save_steps = 2;
    return made;
  };
  Recorder observer;
  train(configuration("whole"), false, observer);
  EXPECT_GT(observer.plans.front().epochs, 3);
  Configuration stopped = configuration("stopped");
  for (std::int64_t last : {5, 12, 20}) stop_after_step(stopped, last, last > 5);
  train_quietly(stopped, true);
  expect_same(stopped.run.directory, runs / "whole");
}

// Each kind of documents has a place of its own, and how many samples it gave.
TEST(ResumePlaces, SeveralKindsOfDocuments) {
  TinyRuns runs;
  runs.write_pairs("pairs.jsonl", 9);
  auto configuration = [&](const char* run) {
    Configuration made = runs.configuration("0.6 causal | 0.4 conditional", run);
    made.model.hidden_dropout_prob = made.model.attention_probs_dropout_prob = 0.2;
    made.data.train = {runs / "held-out.txt", runs / "pairs.jsonl"};
    made.data.validation = made.data.train;
    made.train.max_steps = 20;
    made.train.save_steps = 3;
    return made;
  };
  train_quietly(configuration("whole"));
  const Json state = parse_json(read_file(runs / "whole/latest/state/state.json"), "state.json");
  ASSERT_EQ(state.at("sampler").at("sources").size(), 2u);
  EXPECT_GT(state.at("sampler").at("sources").at(1).at("epoch"), 0);
  Configuration stopped = configuration("stopped");
  for (std::int64_t last : {2, 7, 13, 19}) stop_after_step(stopped, last, last > 2);
  train_quietly(stopped, true);
  expect_same(stopped.run.directory, runs / "whole");
}

// Texts with blanks, plain texts and pairs at their shares, the first two of one kind of documents.
TEST(ResumePlaces, BlanksTextsAndPairs) {
  TinyRuns runs;
  runs.write_pairs("pairs.jsonl", 9);
  add_glm_specials(tiny_bpe()).save(runs / "glm");
  auto configuration = [&](const char* run) {
    Configuration made = runs.configuration("0.5 blank_infilling | 0.3 causal | 0.2 conditional", run);
    made.objective.blank_infilling.level = "0.4 token | 0.3 sentence | 0.3 document";
    made.tokenizer.path = runs / "glm";
    made.model.family = "glm";
    made.model.hidden_dropout_prob = made.model.attention_probs_dropout_prob = 0.2;
    made.data.train = {runs / "train.txt", runs / "pairs.jsonl"};
    made.data.validation = made.data.train;
    made.train.max_steps = 14;
    made.train.save_steps = 3;
    return made;
  };
  train_quietly(configuration("whole"));
  bool infilled = false, continued = false, completed = false;
  for (const Json& line : read_lines(runs / "whole/metrics.jsonl")) {
    infilled |= line.contains("token_loss/blank_infilling");
    continued |= line.contains("token_loss/causal");
    completed |= line.contains("token_loss/conditional");
  }
  EXPECT_TRUE(infilled && continued && completed);
  Configuration stopped = configuration("stopped");
  for (std::int64_t last : {2, 7, 11}) stop_after_step(stopped, last, last > 2);
  train_quietly(stopped, true);
  expect_same(stopped.run.directory, runs / "whole");
}

// Schedules of an objective go by the step, not by what this process has seen.
TEST(ResumePlaces, WithMaskRatesThatChange) {
  TinyRuns runs;
  auto configuration = [&](const char* run) {
    Configuration made = runs.configuration("mlm", run);
    made.objective.mlm.final_probability = 0.6;
    made.objective.mlm.final_mask = 0.1;
    return made;
  };
  train_quietly(configuration("whole"));
  stop_after_step(configuration("stopped"), 6);
  train_quietly(configuration("stopped"), true);
  expect_same(runs / "stopped", runs / "whole");
  Configuration constant = configuration("constant");
  constant.objective.mlm.final_probability = constant.objective.mlm.final_mask = kUnchanged;
  train_quietly(constant);
  EXPECT_NE(read_file(runs / "constant/latest/model.safetensors"),
            read_file(runs / "whole/latest/model.safetensors"));
}

TEST(ResumePlaces, WithRoundedWeightsInTheFile) {
  TinyRuns runs;
  auto configuration = [&](const char* run) {
    Configuration made = runs.configuration("causal", run);
    made.train.save_dtype = "bfloat16";
    return made;
  };
  train_quietly(configuration("whole"));
  stop_after_step(configuration("stopped"), 6);
  train_quietly(configuration("stopped"), true);
  expect_same(runs / "stopped", runs / "whole");
}

TEST(ResumePlaces, FromTheCheckpointBeforeADamagedOne) {
  TinyRuns runs;
  train_quietly(runs.configuration("causal", "whole"));
  Configuration configuration = runs.configuration("causal", "run");
  stop_after_step(configuration, 9);
  fs::resize_file(runs / "run/step-00000008/model.safetensors", 1000);
  Recorder observer;
  train(configuration, true, observer);
  EXPECT_EQ(observer.steps.front().step, 5);
  EXPECT_THAT(observer.messages,
              Contains(AllOf(HasSubstr("WARNING: a checkpoint is damaged and is not used"),
                             HasSubstr("step-00000008/model.safetensors"), HasSubstr("1000 bytes"))));
  fs::remove_all(runs / "run/damaged-step-00000008");
  expect_same(configuration.run.directory, runs / "whole");
}

TEST(ResumePlaces, SaysWhatElseIsDifferent) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  train_quietly(configuration);
  configuration.train.max_steps = 14;
  configuration.train.threads = 2;
  configuration.train.save_steps = 7;
  configuration.train.learning_rate = 5e-3;
  Recorder observer;
  train(configuration, true, observer);
  ASSERT_EQ(observer.messages.size(), 2u);
  EXPECT_EQ(observer.messages.front(), "note: train.learning_rate is now 0.005; the run was saved with 0.01");
}

TEST(ResumePlaces, AtTheEndThereIsNothingToDo) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  RunSummary first = train_quietly(configuration);
  auto before = timeless_content(configuration.run.directory);
  Recorder observer;
  RunSummary again = train(configuration, true, observer);
  EXPECT_TRUE(observer.steps.empty());
  EXPECT_EQ(again.steps, 12);
  EXPECT_EQ(again.tokens, first.tokens);
  EXPECT_EQ(again.evaluation->loss, first.evaluation->loss);
  EXPECT_EQ(timeless_content(configuration.run.directory), before);
}

TEST(ResumePlaces, WithoutACheckpointItStartsAfreshAndSaysSo) {
  TinyRuns runs;
  train_quietly(runs.configuration("causal", "whole"));
  Configuration configuration = runs.configuration("causal", "run");
  Recorder observer;
  train(configuration, true, observer);
  EXPECT_THAT(observer.messages, Contains(HasSubstr("no checkpoint to resume from: starting afresh")));
  EXPECT_EQ(observer.steps.front().step, 1);
  expect_same(configuration.run.directory, runs / "whole");
}

TEST(ResumePlaces, MoreStepsThanAtFirst) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  train_quietly(configuration);
  configuration.train.max_steps = 14;
  Recorder observer;
  train(configuration, true, observer);
  ASSERT_EQ(observer.steps.size(), 2u);
  EXPECT_EQ(observer.steps.front().step, 13);
  EXPECT_EQ(fs::read_symlink(runs / "run/latest"), "step-00000014");
}

TEST(ResumePlaces, FewerStepsThanItHasIsTheEnd) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  train_quietly(configuration);
  configuration.train.max_steps = 5;
  Recorder observer;
  EXPECT_EQ(train(configuration, true, observer).steps, 12);
  EXPECT_TRUE(observer.steps.empty());
}

TEST(ResumePlaces, AnotherRunIsRefused) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  train_quietly(configuration);
  auto before = timeless_content(configuration.run.directory);
  auto refuse = [&](const char* what, const std::function<void(Configuration&)>& change) {
    Configuration changed = configuration;
    changed.train.max_steps = 20;
    change(changed);
    EXPECT_ERROR(
        train_quietly(changed, true), usage,
        AllOf(HasSubstr(std::string(what) + " not what the run began with"), HasSubstr("run.directory")));
  };
  refuse("objective.train is", [](Configuration& changed) { changed.objective.train = "reverse"; });
  refuse("run.seed is", [](Configuration& changed) { changed.run.seed = 2; });
  refuse("train.micro_batch_tokens is",
         [](Configuration& changed) { changed.train.micro_batch_tokens = 32; });
  refuse("train.tokens_per_step is", [](Configuration& changed) { changed.train.tokens_per_step = 256; });
  refuse("data.train is", [](Configuration& changed) { changed.data.train = changed.data.validation; });
  refuse("data.document, data.train are",
         [](Configuration& changed) { changed.data.corpus.document = "line"; });
  EXPECT_ERROR(train_quietly(configuration, false), usage, HasSubstr("holds another run"));
  EXPECT_EQ(timeless_content(configuration.run.directory), before);  // and nothing was touched
}

}  // namespace
}  // namespace surprisal
