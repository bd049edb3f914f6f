// Runs on several kinds of documents.
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/train/tiny_run.h"
#include "train/trainer.h"

namespace surprisal {
namespace {

using testing::Contains;
using testing::HasSubstr;

class MixedRun : public testing::Test {
 protected:
  MixedRun() {
    runs_.write_pairs("pairs.jsonl", 12);
    runs_.write_pairs("held-out.jsonl", 5);
  }
  Configuration configuration(const char* objective, const char* run) {
    Configuration configuration = runs_.configuration(objective, run);
    configuration.data.train = {runs_ / "train.txt", runs_ / "pairs.jsonl"};
    configuration.data.validation = {runs_ / "held-out.txt", runs_ / "held-out.jsonl"};
    return configuration;
  }
  TinyRuns runs_;
};

// Each part's loss, on the documents that it reads, is the one that it has alone.
TEST_F(MixedRun, ReportsEveryPart) {
  Configuration mixed = configuration("0.6 causal | 0.4 conditional", "mixed");
  mixed.objective.evaluate = {"causal", "conditional"};
  Recorder observer;
  train(mixed, false, observer);
  ASSERT_EQ(observer.plans.size(), 1u);
  EXPECT_EQ(observer.plans[0].data.pairs, 12u);
  EXPECT_EQ(observer.plans[0].data.documents, 36u);
  EXPECT_EQ(observer.plans[0].validation->pairs, 5u);
  int evaluations = 0;
  for (const Json& line : read_lines(runs_ / "mixed/metrics.jsonl")) {
    if (!line.contains("eval_loss")) continue;
    ++evaluations;
    for (const char* part : {"causal", "conditional"}) {
      const double loss = line.at("eval_token_loss/" + std::string(part));
      EXPECT_GT(loss, 0);
      EXPECT_NEAR(loss, line.at(fmt::format("eval/{}/loss", part)).get<double>(), 1e-6 * loss);
    }
    EXPECT_FALSE(line.contains("eval_bits_per_byte"));
    EXPECT_TRUE(line.contains("eval/causal/bits_per_byte"));
  }
  EXPECT_EQ(evaluations, 4);
  const Json first = read_lines(runs_ / "mixed/metrics.jsonl").at(1);
  EXPECT_TRUE(first.contains("token_loss/causal") || first.contains("token_loss/conditional"));
  // Texts are written as `causal` writes them; a completion has no prompt here.
  for (const Json& sample : read_lines(runs_ / "mixed/samples.jsonl"))
    EXPECT_EQ(sample.at("objective"), "causal");
}

TEST_F(MixedRun, PairsAlone) {
  Configuration pairs = configuration("conditional", "pairs");
  pairs.tokenizer.path = runs_ / "bpe";
  pairs.model.family = "gpt2";
  pairs.data.train = {runs_ / "pairs.jsonl"};
  pairs.data.validation = {runs_ / "held-out.jsonl"};
  pairs.data.sequence_length = 8;
  pairs.train.max_steps = 40;
  Recorder observer;
  const RunSummary summary = train(pairs, false, observer);
  EXPECT_THAT(observer.messages, Contains(HasSubstr("objective conditional: 12 of 12 pairs are longer than a "
                                                    "sequence of 8: cut at the end are ")));
  EXPECT_LT(summary.evaluation->loss, 0.8 * *summary.first_evaluation_loss);
  EXPECT_FALSE(std::filesystem::exists(runs_ / "pairs/samples.jsonl"));
}

// For a try, so many of each kind.
TEST_F(MixedRun, LimitIsOfEachKind) {
  Configuration limited = configuration("0.6 causal | 0.4 conditional", "limited");
  limited.train.limit = 3;
  limited.train.max_steps = 2;
  Recorder observer;
  train(limited, false, observer);
  EXPECT_EQ(observer.plans.at(0).data.documents, 6u);
  EXPECT_EQ(observer.plans.at(0).data.pairs, 3u);
}

TEST_F(MixedRun, DataThatLackAKindAreRefusedBeforeTheRun) {
  Configuration mixed = configuration("0.6 causal | 0.4 conditional", "refused");
  const char* message =
      "the data hold nothing for objective \"conditional\", which reads pairs; give a .jsonl file "
      "of records with \"prompt\" and \"completion\"";
  mixed.data.validation = {runs_ / "held-out.txt"};
  EXPECT_ERROR(train_quietly(mixed), data, AllOf(HasSubstr("held-out.txt:1 and on: "), HasSubstr(message)));
  mixed.data.validation.clear();
  mixed.data.train = {runs_ / "train.txt"};
  EXPECT_ERROR(train_quietly(mixed), data, HasSubstr(message));
  Configuration causal = configuration("causal", "refused");
  EXPECT_ERROR(train_quietly(causal), data,
               AllOf(HasSubstr("pairs.jsonl:1: the record is a pair, and nothing here reads one"),
                     HasSubstr("objective conditional reads pairs")));
  EXPECT_FALSE(std::filesystem::exists(runs_ / "refused"));
}

}  // namespace
}  // namespace surprisal
