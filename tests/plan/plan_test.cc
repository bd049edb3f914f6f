#include "plan/plan.h"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/error_matchers.h"
#include "tests/train/tiny_run.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

class Plan : public testing::TestWithParam<const char*> {
 protected:
  TinyRuns runs_;
};
INSTANTIATE_TEST_SUITE_P(Objectives, Plan,
                         testing::Values("mlm + nsp", "causal", "0.5 causal | 0.5 reverse"));

TEST_P(Plan, SaysWhatTheRunThenTakes) {
  const Configuration configuration = runs_.configuration(GetParam(), "run");
  const RunForecast planned = forecast(configuration, RunSetup(configuration));
  EXPECT_FALSE(std::filesystem::exists(configuration.run.directory));
  Recorder observer;
  train(configuration, false, observer);
  const RunPlan& run = observer.plans.front();
  EXPECT_EQ(planned.sizes.parameters, run.parameters);
  ASSERT_EQ(planned.sizes.memory.size() + 1, run.memory.size());  // and the program
  for (std::size_t kind = 0; kind < planned.sizes.memory.size(); ++kind) {
    EXPECT_EQ(planned.sizes.memory[kind].kind, run.memory[kind].kind);
    EXPECT_EQ(planned.sizes.memory[kind].bytes, run.memory[kind].bytes);
  }
  EXPECT_EQ(planned.sizes.checkpoint, run.checkpoint_bytes);
  EXPECT_EQ(planned.max_steps, run.max_steps);
  EXPECT_DOUBLE_EQ(planned.epochs, run.epochs);
  // The mean of its steps, which are fewer here than are looked at.
  double tokens = 0;
  for (const Json& line : read_lines(runs_ / "run/metrics.jsonl")) tokens = line.value("tokens", tokens);
  EXPECT_EQ(planned.tokens, std::llround(tokens / static_cast<double>(planned.max_steps)));
}

TEST_P(Plan, ACheckpointTakesWhatWasSaid) {
  for (const char* dtype : {"float32", "bfloat16"}) {
    Configuration configuration = runs_.configuration(GetParam(), dtype);
    configuration.train.save_dtype = dtype;
    train_quietly(configuration);
    std::uint64_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(runs_ / dtype / "latest/")) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    const std::uint64_t planned = forecast(configuration, RunSetup(configuration)).sizes.checkpoint;
    EXPECT_LE(bytes, planned) << dtype;
    EXPECT_GE(bytes + (std::uint64_t{1} << 15), planned) << dtype;
  }
}

TEST_P(Plan, TheLargestMicroBatchThatFits) {
  Configuration configuration = runs_.configuration(GetParam(), "run");
  configuration.train.tokens_per_step = 960;
  configuration.train.micro_batch_tokens = 48;
  auto memory = [&](std::int64_t tokens) {
    Configuration trial = configuration;
    trial.train.micro_batch_tokens = tokens;
    return size_run(trial, RunSetup(trial)).memory_total();
  };
  for (std::int64_t tokens : {960, 480, 240}) {
    EXPECT_EQ(largest_micro_batch(configuration, RunSetup(configuration), memory(tokens)), tokens);
    EXPECT_LT(largest_micro_batch(configuration, RunSetup(configuration), memory(tokens) - 1).value_or(0),
              tokens);
  }
  EXPECT_EQ(largest_micro_batch(configuration, RunSetup(configuration), std::size_t{1} << 40), 960);
  EXPECT_FALSE(largest_micro_batch(configuration, RunSetup(configuration), 1000));
}

TEST(PlanError, IsThatOfTheRun) {
  TinyRuns runs;
  Configuration configuration = runs.configuration("mlm + nsp", "run");
  configuration.model.family = "gpt2";
  EXPECT_ERROR(forecast(configuration, RunSetup(configuration)), usage, HasSubstr("sentence head"));
}

}  // namespace
}  // namespace surprisal
