// Runs that train an adapter of a checkpoint that another run left.
#include <algorithm>
#include <filesystem>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "infer/merge_adapter.h"
#include "store/adapted_model.h"
#include "store/model_directory.h"
#include "tests/core/error_matchers.h"
#include "tests/train/tiny_run.h"
#include "train/trainer.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

struct Case {
  const char* name;
  AdapterOptions adapter;
};
void PrintTo(const Case& test, std::ostream* stream) {
  *stream << test.name;
}

AdapterOptions lora(std::vector<std::string> targets = {}, double dropout = 0.1) {
  return {.type = "lora", .r = 3, .lora_dropout = dropout, .target_modules = std::move(targets)};
}
AdapterOptions prefix(bool projection) {
  return {
      .type = "prefix", .num_virtual_tokens = 3, .prefix_projection = projection, .encoder_hidden_size = 7};
}
AdapterOptions dora() {
  AdapterOptions options = lora({"all-linear"});
  options.use_dora = true;
  return options;
}

const Case kCases[] = {{"lora", lora()},
                       {"dora", dora()},
                       {"parts", lora({"c_attn.query", "c_attn.value", "mlp.c_proj"})},
                       {"prefix", prefix(false)},
                       {"projection", prefix(true)}};

class AdapterRun : public testing::TestWithParam<Case> {
 protected:
  AdapterRun() { train_quietly(base_configuration()); }

  Configuration base_configuration() const {
    Configuration configuration = runs_.configuration("causal", "base");
    configuration.model.max_position_embeddings = 24;  // room for a prefix
    return configuration;
  }
  Configuration configuration(const std::string& run) const {
    Configuration configuration = runs_.configuration("causal", run);
    configuration.model = {};
    configuration.model.path = base().string();
    configuration.adapter = GetParam().adapter;
    configuration.train.learning_rate = 1e-2;
    return configuration;
  }
  fs::path base() const { return runs_ / "base" / "latest"; }

  TinyRuns runs_;
};
INSTANTIATE_TEST_SUITE_P(Adapters, AdapterRun, testing::ValuesIn(kCases),
                         [](const auto& instance) { return std::string(instance.param.name); });

void stop_after_step(const Configuration& configuration, std::int64_t last, bool resume = false) {
  struct Stopped : std::runtime_error {
    Stopped() : std::runtime_error("stopped") {}
  };
  Recorder observer;
  observer.on_step = [last](std::int64_t step) {
    if (step == last) throw Stopped();
  };
  EXPECT_THROW(train(configuration, resume, observer), Stopped);
}

TEST_P(AdapterRun, LearnsAndItsCheckpointsAreAdapters) {
  Recorder observer;
  const RunSummary summary = train(configuration("run"), false, observer);
  EXPECT_LT(summary.evaluation->token.mean(), *summary.first_evaluation_loss);
  EXPECT_LT(observer.plans.front().trained_parameters, observer.plans.front().parameters);
  const fs::path checkpoint = runs_ / "run" / "latest";
  EXPECT_TRUE(fs::exists(checkpoint / "adapter_model.safetensors"));
  EXPECT_TRUE(fs::exists(checkpoint / "tokenizer.json"));
  EXPECT_FALSE(fs::exists(checkpoint / "model.safetensors"));
  // What others read computes what was trained: the held-out loss of the last evaluation.
  Configuration evaluating = configuration("evaluating");
  evaluating.adapter = {.path = checkpoint.string()};
  evaluating.train.max_steps = 1;
  const RunSummary loaded = train_quietly(evaluating);
  EXPECT_NEAR(*loaded.first_evaluation_loss, summary.evaluation->token.mean(), 1e-5);
}

TEST_P(AdapterRun, ResumedLeavesTheSameBytesAsNeverHavingStopped) {
  train_quietly(configuration("whole"));
  const Configuration stopped = configuration("stopped");
  stop_after_step(stopped, 6);
  stop_after_step(stopped, 10, true);
  train_quietly(stopped, true);
  EXPECT_EQ(timeless_content(stopped.run.directory), timeless_content(runs_ / "whole"));
}

TEST_P(AdapterRun, PlansTheMemoryThatItsPartsReserve) {
  Recorder observer;
  Configuration configuration = this->configuration("run");
  train(configuration, false, observer);
  const auto bytes = [&](const std::vector<MemoryUse>& uses, const char* kind) {
    return std::ranges::find(uses, kind, &MemoryUse::kind)->bytes;
  };
  const std::vector<MemoryUse>& memory = observer.plans.front().memory;
  EXPECT_EQ(bytes(memory, "optimizer"), 2 * bytes(memory, "gradients"));
}

// A change of what an adapter is would be another run.
TEST_P(AdapterRun, ResumingRefusesAnotherAdapter) {
  stop_after_step(configuration("run"), 6);
  Configuration other = configuration("run");
  other.adapter.lora() ? void(other.adapter.r = 4) : void(other.adapter.num_virtual_tokens = 4);
  EXPECT_THAT(error_of([&] { train_quietly(other, true); }, ErrorKind::usage), HasSubstr("adapter."));
}

// In f32 what differs is rounding; in bf16 it is what the format cannot hold.
TEST_P(AdapterRun, MergedIsUnmerged) {
  Configuration base = base_configuration();
  base.run.directory = (runs_ / "rounded").string();
  base.train.save_dtype = "bfloat16";
  train_quietly(base);
  for (const char* name : {"base", "rounded"}) {
    SCOPED_TRACE(name);
    Configuration adapted = configuration(std::string("adapter-") + name);
    adapted.model.path = (runs_ / name / "latest").string();
    train_quietly(adapted);
    const AdapterMerge merge{.model = adapted.model.path,
                             .adapter = fs::path(adapted.run.directory) / "latest",
                             .out = runs_ / (std::string("merged-") + name)};
    if (adapted.adapter.prefix()) {
      EXPECT_THAT(error_of([&] { merge_adapter(merge); }, ErrorKind::usage), HasSubstr("cannot be merged"));
      continue;
    }
    const MergedAdapter merged = merge_adapter(merge);
    const bool rounded = name == std::string("rounded");
    EXPECT_EQ(merged.dtype, rounded ? "bfloat16" : "float32");
    EXPECT_GT(merged.largest_change, 0);
    EXPECT_LT(merged.largest_change, (rounded ? 0.05 : 1e-5) * merged.largest_logit);
    Configuration evaluating = adapted;
    evaluating.run.directory = (runs_ / (std::string("evaluating-") + name)).string();
    evaluating.adapter = {};
    evaluating.model.path = merge.out.string();
    evaluating.train.max_steps = 1;
    Configuration with_adapter = evaluating;
    with_adapter.run.directory += "-adapter";
    with_adapter.model.path = adapted.model.path;
    with_adapter.adapter.path = merge.adapter.string();
    EXPECT_NEAR(*train_quietly(evaluating).first_evaluation_loss,
                *train_quietly(with_adapter).first_evaluation_loss, rounded ? 0.05 : 1e-5);
  }
}

TEST_P(AdapterRun, IsNotMergedIntoWhatItIsMadeOf) {
  EXPECT_THAT(
      error_of([&] { merge_adapter({.model = base(), .adapter = base(), .out = base()}); }, ErrorKind::usage),
      HasSubstr("would replace what it is made of"));
}

class AdapterErrors : public testing::Test {
 protected:
  AdapterErrors() {
    train_quietly(runs_.configuration("causal", "base"));
    Configuration adapted = configuration("adapter");
    adapted.adapter = lora();
    train_quietly(adapted);
  }
  Configuration configuration(const std::string& run) const {
    Configuration configuration = runs_.configuration("causal", run);
    configuration.model = {};
    configuration.model.path = (runs_ / "base" / "latest").string();
    return configuration;
  }
  std::string error(const AdapterOptions& adapter, ErrorKind kind = ErrorKind::usage) {
    Configuration refused = configuration("refused");
    refused.adapter = adapter;
    return error_of([&] { train_quietly(refused); }, kind);
  }
  TinyRuns runs_;
};

TEST_F(AdapterErrors, ATargetThatThereIsNotNamesThoseThatThereAre) {
  EXPECT_THAT(error(lora({"q_proj"})), AllOf(HasSubstr("there is no linear module \"q_proj\""),
                                             HasSubstr("c_attn, c_attn.query"), HasSubstr("all-linear")));
}

TEST_F(AdapterErrors, AModuleAndItsPart) {
  EXPECT_THAT(error(lora({"c_attn", "c_attn.key"})), HasSubstr("and its part key are both named"));
}

TEST_F(AdapterErrors, PartsWithMagnitudes) {
  AdapterOptions options = lora({"c_attn.key"});
  options.use_dora = true;
  EXPECT_THAT(error(options), HasSubstr("would need magnitudes of its other parts"));
}

TEST_F(AdapterErrors, APrefixThatTakesAllPositions) {
  EXPECT_THAT(error({.type = "prefix", .num_virtual_tokens = 4096}),
              HasSubstr("the prefix takes all positions of the model"));
}

TEST_F(AdapterErrors, ModulesToSave) {
  AdapterOptions options = lora();
  options.modules_to_save = {"score"};
  EXPECT_THAT(error(options), HasSubstr("names no module of the model: \"score\""));
  options.modules_to_save = {"wte"};
  EXPECT_THAT(error(options), HasSubstr("is the vocabulary head too"));
}

TEST_F(AdapterErrors, PatternsWithoutNumbers) {
  AdapterOptions options = lora();
  options.rank_pattern = {"c_attn"};
  EXPECT_THAT(error(options),
              HasSubstr("adapter.rank_pattern has an entry that is no pattern with a number"));
  options.rank_pattern = {"c_attn( = 3"};
  EXPECT_THAT(error(options), HasSubstr("missing closing parenthesis"));
}

TEST_F(AdapterErrors, AnAdapterOfOtherWeights) {
  Configuration other = runs_.configuration("causal", "other");
  other.run.seed = 99;
  train_quietly(other);
  EXPECT_THAT(error_of(
                  [&] {
                    const AdaptedModel source(runs_ / "other" / "latest", runs_ / "adapter" / "latest");
                    Transformer model(source.config(), Mode::evaluate, {.tokens = 8});
                    source.load(model);
                  },
                  ErrorKind::data),
              HasSubstr("the adapter was trained on a model with other weights"));
}

TEST_F(AdapterErrors, KeysWithoutMeaning) {
  const auto read = [&](const char* toml) {
    return error_of(
        [&] {
          Configuration::read_text(
              std::string("[run]\ndirectory = \"r\"\n[data]\ntrain = [\"t\"]\n[tokenizer]\npath = "
                          "\"t\"\n[objective]\ntrain = \"causal\"\n[model]\npath = \"m\"\n") +
                  toml,
              "run.toml", {});
        },
        ErrorKind::usage);
  };
  EXPECT_THAT(read("[adapter]\ntype = \"prefix\"\nr = 4\n"), HasSubstr("adapter.r has no meaning"));
  EXPECT_THAT(read("[adapter]\nnum_virtual_tokens = 4\n"),
              HasSubstr("adapter.num_virtual_tokens has no meaning"));
  EXPECT_THAT(read("[adapter]\npath = \"a\"\nr = 4\n"), HasSubstr("adapter.r is given beside adapter.path"));
  EXPECT_THAT(read("[adapter]\ntype = \"lora\"\n[train]\nsave_dtype = \"bfloat16\"\n"),
              HasSubstr("adapters are written in f32"));
}

}  // namespace
}  // namespace surprisal
