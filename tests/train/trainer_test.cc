#include "train/trainer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/parallel.h"
#include "store/model_directory.h"
#include "tests/train/tiny_run.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class TrainerTest : public testing::TestWithParam<const char*> {
 protected:
  bool decoder() const { return std::string(GetParam()).find("mlm") == std::string::npos && !pairs_alone(); }
  // One direction alone is a code of the text.
  bool covers_text() const { return decoder() && std::string(GetParam()).find('|') == std::string::npos; }
  bool pairs_alone() const { return std::string(GetParam()) == "nsp"; }
  TinyRuns runs_;
};
INSTANTIATE_TEST_SUITE_P(Objectives, TrainerTest,
                         testing::Values("mlm + nsp", "mlm", "nsp", "causal", "reverse",
                                         "0.5 causal | 0.5 reverse"));

TEST_P(TrainerTest, TheLossFalls) {
  Configuration configuration = runs_.configuration(GetParam(), "run");
  configuration.model.hidden_size = 48;
  configuration.train.max_steps = 500;
  configuration.train.learning_rate = 3e-3;
  configuration.train.warmup_steps = 20;
  configuration.train.eval_steps = configuration.train.save_steps = 0;
  configuration.data.validation = configuration.data.train;
  Recorder recorder;
  RunSummary summary = train(configuration, false, recorder);
  EXPECT_EQ(summary.steps, 500);
  ASSERT_EQ(recorder.steps.size(), 500u);
  for (const StepReport& report : recorder.steps) EXPECT_TRUE(std::isfinite(report.loss));
  ASSERT_TRUE(summary.evaluation);
  if (pairs_alone()) {
    EXPECT_LT(summary.evaluation->loss, *summary.first_evaluation_loss);
    EXPECT_EQ(summary.evaluation->token.weight, 0);
  } else {
    EXPECT_LT(summary.evaluation->token.mean(), 0.8 * *summary.first_evaluation_loss);
    EXPECT_LT(summary.evaluation->token.mean(), summary.evaluation->unigram_entropy);
  }
  EXPECT_EQ(summary.evaluation->bits_per_byte.has_value(), covers_text());
}

TEST_P(TrainerTest, LeavesARunDirectory) {
  Configuration configuration = runs_.configuration(GetParam(), "run");
  configuration.train.save_total_limit = 0;
  Recorder recorder;
  train(configuration, false, recorder);
  fs::path run = runs_ / "run";
  EXPECT_EQ(fs::read_symlink(run / "latest"), "step-00000012");
  EXPECT_TRUE(fs::is_directory(run / "best"));
  for (const char* step : {"step-00000004", "step-00000008", "step-00000012"}) {
    for (const char* file : {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                             "state/state.json", "state/optimizer.safetensors"}) {
      EXPECT_TRUE(fs::is_regular_file(run / step / file)) << step << file;
    }
  }
  ModelConfig config = read_model_config(run / "latest");
  Transformer model(config, Mode::evaluate, {.tokens = 16});
  EXPECT_NO_THROW(load_weights(run / "latest", model));

  Configuration again = Configuration::read(run / "config.toml", {});
  EXPECT_EQ(again.to_toml(), configuration.to_toml());
  Json environment = parse_json(read_file(run / "environment.json"), "environment.json");
  for (const char* key : {"version", "cpu", "cores", "threads", "memory_bytes", "gemm", "peak_gflops"}) {
    EXPECT_TRUE(environment.contains(key)) << key;
  }
  Json summary = parse_json(read_file(run / "summary.json"), "summary.json");
  EXPECT_EQ(summary["objective"], GetParam());
  EXPECT_EQ(summary["steps"], 12);
  EXPECT_TRUE(summary["loss"].is_number());
  EXPECT_EQ(summary["bits_per_byte"].is_number(), covers_text());
  EXPECT_EQ(summary["token_accuracy"].is_number(), !pairs_alone());
}

TEST_P(TrainerTest, LogsEveryStepAndEveryEvaluation) {
  Configuration configuration = runs_.configuration(GetParam(), "run");
  Recorder recorder;
  train(configuration, false, recorder);
  EXPECT_THAT(recorder.evaluated_steps, ElementsAre(0, 4, 8, 12));
  std::vector<std::int64_t> steps, evaluations;
  std::uint64_t tokens = 0;
  for (const Json& line : read_lines(runs_ / "run/metrics.jsonl")) {
    EXPECT_TRUE(line.at("epoch").is_number());
    if (line.contains("eval_loss")) {
      evaluations.push_back(line.at("step"));
      continue;
    }
    steps.push_back(line.at("step"));
    for (const char* key :
         {"loss", "learning_rate", "grad_norm", "tokens_per_sec", "mfu", "mem_bytes", "skipped", "wall_s"}) {
      EXPECT_TRUE(line.at(key).is_number()) << key;
    }
    EXPECT_GT(line.at("tokens"), tokens);
    tokens = line.at("tokens");
  }
  EXPECT_THAT(steps, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  EXPECT_THAT(evaluations, ElementsAre(0, 4, 8, 12));
  EXPECT_LE(tokens, 12u * 128u);
  EXPECT_GT(tokens, 12u * 128u * 7 / 10);  // packs are well filled
}

TEST_P(TrainerTest, DecodersWriteSamplesAtEachEvaluation) {
  train_quietly(runs_.configuration(GetParam(), "run"));
  if (!decoder()) {
    EXPECT_FALSE(fs::exists(runs_ / "run/samples.jsonl"));
    return;
  }
  std::size_t parts = std::string(GetParam()).find('|') == std::string::npos ? 1 : 2;
  std::vector<Json> lines = read_lines(runs_ / "run/samples.jsonl");
  ASSERT_EQ(lines.size(), 4 * parts);
  EXPECT_EQ(lines.front().at("step"), 0);
  EXPECT_EQ(lines.back().at("step"), 12);
  EXPECT_TRUE(lines.back().at("text").is_string());
  EXPECT_EQ(lines.back().at("objective"), parts == 2 ? "reverse" : GetParam());
}

TEST_P(TrainerTest, SameBitsForAnyNumberOfThreads) {
  const int before = threads();
  std::vector<std::pair<std::string, std::string>> expected;
  for (std::int64_t threads : {1, 2, 3}) {
    Configuration configuration = runs_.configuration(GetParam(), "threads" + std::to_string(threads));
    configuration.model.hidden_dropout_prob = configuration.model.attention_probs_dropout_prob = 0.1;
    configuration.train.max_steps = 3;
    configuration.train.threads = threads;
    train_quietly(configuration);
    auto content = timeless_content(configuration.run.directory);
    if (threads == 1) expected = content;
    ASSERT_EQ(content.size(), expected.size());
    for (std::size_t file = 0; file < content.size(); ++file) {
      EXPECT_TRUE(content[file] == expected[file]) << content[file].first << " on " << threads << " threads";
    }
  }
  set_threads(before);
}

TEST(Trainer, TellsWhatIsKnownBeforeTheFirstStep) {
  TinyRuns runs;
  Recorder recorder;
  Configuration configuration = runs.configuration("causal", "run");
  configuration.train.max_steps = 2;
  train(configuration, false, recorder);
  ASSERT_EQ(recorder.plans.size(), 1u);
  const RunPlan& plan = recorder.plans.front();
  EXPECT_EQ(plan.objective, "causal");
  EXPECT_EQ(plan.data.documents, 24u);
  EXPECT_EQ(plan.validation->documents, 6u);
  EXPECT_EQ(plan.tokens_per_step, 128);
  EXPECT_EQ(plan.micro_batches, 2);
  EXPECT_EQ(plan.first_step, 1);
  EXPECT_EQ(plan.max_steps, 2);
  EXPECT_EQ(plan.threads, 1);
  EXPECT_GT(plan.parameters, 3000);
  std::size_t total = 0;
  std::vector<std::string> kinds;
  for (const MemoryUse& use : plan.memory) {
    total += use.bytes;
    kinds.push_back(use.kind);
  }
  EXPECT_EQ(plan.memory_total, total);
  EXPECT_THAT(kinds, ElementsAre("weights", "gradients", "activations", "workspace", "optimizer",
                                 "checkpoint", "data", "program"));
}

TEST(Trainer, EpochsDecideTheStepsWhereMaxStepsDoesNot) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  configuration.train.max_steps = 0;
  configuration.train.num_train_epochs = 0.5;
  Recorder recorder;
  train(configuration, false, recorder);
  EXPECT_NEAR(recorder.plans.front().epochs, 0.5, 0.1);
  EXPECT_EQ(static_cast<std::int64_t>(recorder.steps.size()), recorder.plans.front().max_steps);
  EXPECT_GE(recorder.steps.back().epoch, 0.5);
}

TEST(Trainer, AnEvaluationThatImprovesSavesAndRotationKeepsTheBest) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  configuration.train.eval_steps = 3;
  configuration.train.save_steps = 0;
  configuration.train.save_total_limit = 1;
  Recorder recorder;
  train(configuration, false, recorder);
  EXPECT_THAT(recorder.checkpoints,
              testing::Contains(HasSubstr("step-00000003")));  // falls from the first evaluation on
  EXPECT_THAT(recorder.checkpoints.back(), HasSubstr("step-00000012"));
  std::int64_t best = 0;
  double least = INFINITY;
  for (const Json& line : read_lines(runs / "run/metrics.jsonl")) {
    if (!line.contains("eval_loss") || line.at("step") == 0 || line.at("eval_loss") >= least) continue;
    least = line.at("eval_loss");
    best = line.at("step");
  }
  EXPECT_EQ(fs::read_symlink(runs / "run/best").string().substr(5), fmt::format("{:08}", best));
}

TEST(Trainer, WithoutHeldOutTextTheLastStepIsSaved) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("mlm", "run");
  configuration.data.validation.clear();
  configuration.train.eval_steps = configuration.train.save_steps = 0;
  Recorder recorder;
  RunSummary summary = train(configuration, false, recorder);
  EXPECT_FALSE(summary.evaluation);
  ASSERT_EQ(recorder.checkpoints.size(), 1u);
  EXPECT_EQ(fs::read_symlink(runs / "run/latest"), "step-00000012");
  EXPECT_FALSE(fs::exists(runs / "run/best"));
}

TEST(Trainer, StartsFromACheckpoint) {
  TinyRuns runs;
  Recorder first, second;
  train(runs.configuration("causal", "first"), false, first);
  Configuration configuration = runs.configuration("0.5 causal | 0.5 reverse", "second");
  configuration.model = {};
  configuration.model.path = runs / "first/latest";
  configuration.train.max_steps = 2;
  RunSummary summary = train(configuration, false, second);
  EXPECT_EQ(second.plans.front().parameters, first.plans.front().parameters);
  EXPECT_EQ(second.plans.front().first_step, 1);
  EXPECT_LT(second.steps.front().loss, first.steps.front().loss - 0.5);  // half of it was learnt before
  Configuration saved = Configuration::read(runs / "second/config.toml", {});
  EXPECT_EQ(saved.model.path, (runs / "first/latest").string());
}

TEST(Trainer, APoolerWithoutLabelsStaysAsItWasDrawn) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("mlm", "run");
  configuration.train.save_total_limit = 0;
  train_quietly(configuration);
  const ModelConfig config = read_model_config(runs / "run/latest");
  Transformer early(config, Mode::evaluate, {.tokens = 16}), late(config, Mode::evaluate, {.tokens = 16});
  load_weights(runs / "run/step-00000004", early);
  load_weights(runs / "run/step-00000012", late);
  int stayed = 0, moved = 0;
  for (const Parameter& parameter : early.table().parameters) {
    const auto begin = static_cast<std::size_t>(parameter.offset),
               count = static_cast<std::size_t>(parameter.shape.elements());
    const bool same =
        std::ranges::equal(early.weights().subspan(begin, count), late.weights().subspan(begin, count));
    const bool unused = parameter.name.starts_with("pooler.") || parameter.name.starts_with("sentence_head.");
    EXPECT_EQ(same, unused) << parameter.name;
    ++(same ? stayed : moved);
  }
  EXPECT_EQ(stayed, 4);
  EXPECT_GT(moved, 20);
}

// A text is generated within the rows that training laid memory out for, however many positions the model
// has.
TEST(Trainer, SamplesFitIntoASmallMicroBatch) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("causal", "run");
  configuration.data.sequence_length = configuration.train.micro_batch_tokens = 8;
  configuration.train.tokens_per_step = 16;
  configuration.model.max_position_embeddings = 64;
  configuration.train.num_samples = 4;
  EXPECT_NO_THROW(train_quietly(configuration));
  EXPECT_EQ(read_lines(runs / "run/samples.jsonl").size(), 4 * 4u);
}

}  // namespace
}  // namespace surprisal
