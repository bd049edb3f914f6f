// Runs that train classifiers, from a language model's checkpoint.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include <fmt/format.h>

#include "core/file.h"
#include "core/random.h"
#include "infer/merge_adapter.h"
#include "infer/record_scorer.h"
#include "infer/score.h"
#include "store/adapted_model.h"
#include "store/model_directory.h"
#include "store/tensor_files.h"
#include "tests/core/error_matchers.h"
#include "tests/train/tiny_run.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

struct Stopped {};

struct Case {
  const char* family;
  const char* pretraining;
  const char* architecture;  // without what the heads are for
  const char* classifier;    // its tensor
};
void PrintTo(const Case& test, std::ostream* stream) {
  *stream << test.family;
}

// "the cat sees my friend at night." is about a cat: a class, a number, and a word of it.
struct Sentence {
  std::vector<std::string> words;
  bool dog = false;
};
Sentence sentence(Random& random) {
  const bool dog = random.below(2) == 1;
  const char* verb = random.below(2) == 0 ? "sees" : "finds";
  return {{"the", dog ? "dog" : "cat", verb, "my", "friend"}, dog};
}

std::string texts(int count, std::uint64_t seed, const char* cat, const char* dog) {
  Random random({.seed = seed});
  std::string lines;
  for (int i = 0; i < count; ++i) {
    const Sentence made = sentence(random);
    lines +=
        fmt::format(R"({{"text": "{}", "label": {}}})", fmt::join(made.words, " "), made.dog ? dog : cat);
    lines += '\n';
  }
  return lines;
}

std::string words(int count, std::uint64_t seed) {
  Random random({.seed = seed});
  std::string lines;
  for (int i = 0; i < count; ++i) {
    const Sentence made = sentence(random);
    lines += fmt::format(R"({{"tokens": ["{}"], "tags": ["O", "{}", "O", -100, "O"]}})",
                         fmt::join(made.words, "\", \""), made.dog ? "B-DOG" : "B-CAT");
    lines += '\n';
  }
  return lines;
}

class ClassifierRun : public testing::TestWithParam<Case> {
 protected:
  ClassifierRun() {
    train_quietly(runs_.configuration(GetParam().pretraining, "base"));
    for (const auto& [name, count, seed] : {std::tuple("train", 120, 1), std::tuple("held-out", 40, 2)}) {
      runs_.write(name + std::string(".texts.jsonl"), texts(count, seed, "\"cat\"", "\"dog\""));
      runs_.write(name + std::string(".numbers.jsonl"), texts(count, seed, "-1.5", "0.5"));
      runs_.write(name + std::string(".words.jsonl"), words(count, seed));
    }
  }
  fs::path base() const { return runs_ / "base" / "latest"; }

  Configuration configuration(const std::string& objective, const std::string& run,
                              const std::string& records = "texts") const {
    Configuration made = runs_.configuration(GetParam().pretraining, run);
    made.objective.train = objective;
    made.model = {};
    made.model.path = base().string();
    made.model.new_heads = true;
    made.data.train = {runs_ / ("train." + records + ".jsonl")};
    made.data.validation = {held_out(records)};
    return made;
  }
  Configuration learning(const std::string& objective, const std::string& run,
                         const std::string& records = "texts") const {
    Configuration made = configuration(objective, run, records);
    made.train.max_steps = 80;
    made.train.eval_steps = made.train.save_steps = 40;
    return made;
  }
  std::string held_out(const std::string& records) const {
    return runs_ / ("held-out." + records + ".jsonl");
  }
  Json config_of(const std::string& run) const {
    return parse_json(read_file(runs_ / run / "latest" / "config.json"), "config.json");
  }
  Json last_evaluation(const std::string& run) const {
    Json last;
    for (const Json& line : read_lines(runs_ / (run + "/metrics.jsonl"))) {
      if (line.contains("eval_loss")) last = line;
    }
    return last;
  }
  // What the program's `score` says.
  Score scored(const fs::path& model, const fs::path& adapter, const std::string& records = "texts") const {
    const AdaptedModel source(model, adapter);
    const Tokenizer tokenizer = Tokenizer::load(model);
    const ScoreOptions options{.sequence_length = 16, .pack_tokens = 64};
    const RecordScorer scorer(default_rule(source.config()), source.config(), tokenizer, options);
    const TokenCorpus corpus =
        TokenCorpus::open({held_out(records)}, {.records = scorer.records()}, tokenizer, {});
    Transformer transformer(source.config(), Mode::evaluate, scorer.capacity(corpus));
    source.load(transformer);
    return score(transformer, tokenizer, corpus, options);
  }
  std::string error(const Configuration& refused, ErrorKind kind = ErrorKind::usage) {
    return error_of([&] { train_quietly(refused); }, kind);
  }

  TinyRuns runs_;
};
INSTANTIATE_TEST_SUITE_P(Families, ClassifierRun,
                         testing::Values(Case{"bert", "mlm", "Bert", "classifier"},
                                         Case{"gpt2", "causal", "GPT2", "score"}),
                         [](const auto& test) { return test.param.family; });

TEST_P(ClassifierRun, LearnsAndItsCheckpointIsAClassifier) {
  Configuration made = learning("classification", "run");
  made.train.metric_for_best_model = "eval_f1";
  const RunSummary summary = train_quietly(made);
  ASSERT_TRUE(summary.evaluation);
  EXPECT_EQ(summary.evaluation->label_accuracy, 1);
  EXPECT_EQ(summary.evaluation->token.weight, 0);
  EXPECT_LT(summary.evaluation->loss, 0.3);
  const Json config = config_of("run");
  EXPECT_THAT(config.at("architectures"),
              ElementsAre(GetParam().architecture + std::string("ForSequenceClassification")));
  EXPECT_EQ(config.at("id2label"), (Json{{"0", "cat"}, {"1", "dog"}}));
  EXPECT_EQ(config.at("label2id"), (Json{{"cat", 0}, {"dog", 1}}));
  EXPECT_EQ(config.at("problem_type"), "single_label_classification");
  const Json last = last_evaluation("run");
  EXPECT_EQ(last.at("eval_f1"), 1);
  EXPECT_EQ(last.at("eval_matthews"), 1);
  EXPECT_EQ(last.at("eval_label_accuracy"), 1);
  EXPECT_TRUE(fs::exists(runs_ / "run" / "best"));
  const Score found = scored(runs_ / "run" / "latest", {});
  EXPECT_NEAR(found.nats / 40, summary.evaluation->loss, 1e-5);
  EXPECT_EQ(found.accuracy, 1);
}

// More is better, of f1 as of accuracy: `best` is not the worst.
TEST_P(ClassifierRun, TheBestIsThatOfTheLargestMetric) {
  Configuration made = learning("classification", "run");
  made.train.max_steps = 40;
  made.train.eval_steps = made.train.save_steps = 10;
  made.train.metric_for_best_model = "eval_matthews";
  train_quietly(made);
  double most = -1;
  for (const Json& line : read_lines(runs_ / "run/metrics.jsonl")) {
    if (line.contains("eval_matthews")) most = std::max(most, line.at("eval_matthews").get<double>());
  }
  const Score best = scored(runs_ / "run" / "best", {});
  const auto matthews = std::ranges::find(best.metrics, "matthews", &Metric::name);
  ASSERT_NE(matthews, best.metrics.end());
  EXPECT_NEAR(matthews->value, most, 1e-12);
}

TEST_P(ClassifierRun, ALanguageModelsHeadsStayWithoutNewOnes) {
  Configuration made = configuration("classification", "run");
  made.model.new_heads = false;
  EXPECT_THAT(error(made), AllOf(HasSubstr("objective \"classification\" trains a classifier of sequences"),
                                 HasSubstr("found a language model"), HasSubstr("model.new_heads = true")));
  made.objective.train = "regression";
  made.data.train = made.data.validation = {held_out("numbers")};
  EXPECT_THAT(error(made), HasSubstr("objective \"regression\" trains a regression"));
}

TEST_P(ClassifierRun, AClassifierGoesOnWithItsClasses) {
  train_quietly(configuration("classification", "first"));
  Configuration next = configuration("classification", "next");
  next.model.path = (runs_ / "first" / "latest").string();
  next.model.new_heads = false;
  // One class alone in the data: the names are the model's.
  runs_.write("dogs.jsonl", texts(30, 3, "\"dog\"", "\"dog\""));
  next.data.train = {runs_ / "dogs.jsonl"};
  train_quietly(next);
  EXPECT_EQ(config_of("next").at("id2label"), (Json{{"0", "cat"}, {"1", "dog"}}));
  next.objective.classification.labels = {"dog", "cat"};
  next.run.directory = (runs_ / "other").string();
  EXPECT_THAT(error(next), AllOf(HasSubstr("found one of the classes cat, dog"),
                                 HasSubstr("expected dog, cat"), HasSubstr("model.new_heads = true")));
  next.objective.classification.labels = {};
  next.objective.train = GetParam().pretraining;
  EXPECT_THAT(error(next), HasSubstr("trains a language model"));
}

TEST_P(ClassifierRun, OtherClassesAreDrawnAnew) {
  train_quietly(configuration("classification", "first"));
  Configuration next = configuration("classification", "next");
  next.model.path = (runs_ / "first" / "latest").string();
  next.objective.classification.labels = {"bird", "dog", "cat"};
  train_quietly(next);
  EXPECT_EQ(config_of("next").at("id2label"), (Json{{"0", "bird"}, {"1", "dog"}, {"2", "cat"}}));
  EXPECT_TRUE(last_evaluation("next").contains("eval_macro_f1"));
}

TEST_P(ClassifierRun, LearnsNumbers) {
  const RunSummary summary = train_quietly(learning("regression", "run", "numbers"));
  EXPECT_LT(summary.evaluation->loss, 0.3);
  EXPECT_FALSE(summary.evaluation->label_accuracy);
  const Json config = config_of("run"), last = last_evaluation("run");
  EXPECT_EQ(config.at("problem_type"), "regression");
  EXPECT_EQ(config.at("id2label"), (Json{{"0", "LABEL_0"}}));
  EXPECT_GT(last.at("eval_pearson"), 0.9);
  EXPECT_GT(last.at("eval_spearman"), 0.8);
  EXPECT_FALSE(last.contains("eval_label_accuracy"));
  EXPECT_NEAR(scored(runs_ / "run" / "latest", {}, "numbers").nats / 40, summary.evaluation->loss, 1e-5);
}

TEST_P(ClassifierRun, LearnsWords) {
  const RunSummary summary = train_quietly(learning("token_classification", "run", "words"));
  EXPECT_EQ(summary.evaluation->label_accuracy, 1);
  EXPECT_EQ(summary.evaluation->label.weight, 160);  // 4 words of 5 have a class
  const Json config = config_of("run"), last = last_evaluation("run");
  EXPECT_THAT(config.at("architectures"),
              ElementsAre(GetParam().architecture + std::string("ForTokenClassification")));
  EXPECT_EQ(config.at("id2label"), (Json{{"0", "B-CAT"}, {"1", "B-DOG"}, {"2", "O"}}));
  for (const char* metric : {"eval_precision", "eval_recall", "eval_f1", "eval_exact_match"})
    EXPECT_EQ(last.at(metric), 1) << metric;
  EXPECT_FALSE(last.contains("eval_matthews"));
}

TEST_P(ClassifierRun, ResumedItLeavesTheSameBytes) {
  train_quietly(configuration("classification", "whole"));
  const Configuration stopped = configuration("classification", "stopped");
  Recorder observer;
  observer.on_step = [](std::int64_t step) {
    if (step == 6) throw Stopped();
  };
  EXPECT_THROW(train(stopped, false, observer), Stopped);
  train_quietly(stopped, true);
  const auto wanted = timeless_content(runs_ / "whole");
  EXPECT_FALSE(wanted.empty());
  EXPECT_TRUE(timeless_content(runs_ / "stopped") == wanted);
}

TEST_P(ClassifierRun, LoraTrainsAndSavesTheClassifier) {
  Configuration made = learning("classification", "run");
  made.adapter = {.type = "lora", .r = 3, .target_modules = {"all-linear"}};
  const RunSummary summary = train_quietly(made);
  EXPECT_EQ(summary.evaluation->label_accuracy, 1);
  const fs::path checkpoint = runs_ / "run" / "latest";
  const Json config = parse_json(read_file(checkpoint / "adapter_config.json"), "adapter_config.json");
  EXPECT_EQ(config.at("task_type"), "SEQ_CLS");
  const TensorFiles tensors(checkpoint / "adapter_model.safetensors");
  std::vector<std::string> names;
  for (const StoredTensor* tensor : tensors.tensors()) names.push_back(tensor->name);
  const std::string classifier = std::string("base_model.model.") + GetParam().classifier + ".weight";
  EXPECT_THAT(names, testing::Contains(classifier));
  // On the plain base, which has no classifier, it says what the run said.
  const Score found = scored(base(), checkpoint);
  EXPECT_NEAR(found.nats / 40, summary.evaluation->loss, 1e-5);
  EXPECT_EQ(found.accuracy, summary.evaluation->label_accuracy);
  // So does what it is merged into.
  const MergedAdapter merged =
      merge_adapter({.model = base(), .adapter = checkpoint, .out = runs_ / "merged"});
  EXPECT_LT(merged.largest_change, 1e-4);
  EXPECT_NEAR(scored(runs_ / "merged", {}).nats / 40, summary.evaluation->loss, 1e-4);
  const ModelConfig whole = read_model_config(runs_ / "merged");
  EXPECT_THAT(whole.class_names, ElementsAre("cat", "dog"));
}

TEST_P(ClassifierRun, APrefixTrainsAndSavesTheClassifier) {
  Configuration pretrained = runs_.configuration(GetParam().pretraining, "long");
  pretrained.model.max_position_embeddings = 24;
  train_quietly(pretrained);
  Configuration made = learning("classification", "run");
  made.model.path = (runs_ / "long" / "latest").string();
  made.adapter = {.type = "prefix", .num_virtual_tokens = 3, .prefix_projection = false};
  const RunSummary summary = train_quietly(made);
  EXPECT_NEAR(scored(made.model.path, runs_ / "run" / "latest").nats / 40, summary.evaluation->loss, 1e-5);
}

// A checkpoint's adapter trains on, with its classifier and its classes.
TEST_P(ClassifierRun, AnAdapterOfAClassifierGoesOn) {
  Configuration made = learning("classification", "run");
  made.adapter = {.type = "lora", .r = 3};
  const RunSummary first = train_quietly(made);
  Configuration next = learning("classification", "next");
  next.adapter = {.path = (runs_ / "run" / "latest").string()};
  next.model.new_heads = false;
  next.train.learning_rate = 1e-6;
  next.train.max_steps = 1;
  const RunSummary second = train_quietly(next);
  EXPECT_NEAR(second.evaluation->loss, first.evaluation->loss, 1e-3);
}

TEST_P(ClassifierRun, WhatTheDataLackIsNamedBeforeTheFirstStep) {
  Configuration made = configuration("classification", "run");
  made.data.validation = {held_out("words")};
  EXPECT_THAT(error(made, ErrorKind::data), HasSubstr("held-out.words.jsonl:1: the record is of no kind"));
  runs_.write("birds.jsonl", texts(4, 5, "\"bird\"", "\"bird\""));
  made.data.validation = {runs_ / "birds.jsonl"};
  EXPECT_THAT(error(made, ErrorKind::data),
              AllOf(HasSubstr("birds.jsonl:1: the label is no class of the model: found bird"),
                    HasSubstr("expected one of cat, dog")));
  made.data.train = {runs_ / "birds.jsonl"};
  EXPECT_THAT(error(made, ErrorKind::data), HasSubstr("there is one alone: found bird"));
}

}  // namespace
}  // namespace surprisal
