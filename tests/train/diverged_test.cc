// Losses and gradients that are not finite: skipped, counted, and said where they come from.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/file.h"
#include "store/model_directory.h"
#include "tests/core/error_matchers.h"
#include "tests/infer/tiny_language.h"
#include "tests/train/tiny_run.h"
#include "train/trainer.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// Starts from checkpoints that are poisoned.
class Diverged : public testing::Test {
 protected:
  void poison(const char* family, const Tokenizer& tokenizer, float value) {
    fs::create_directories(runs_ / "poisoned");
    auto model = tiny_model(tiny_config(family, tokenizer.vocabulary_size(), 16), Mode::evaluate, 16);
    Tensor weight = model->weight(model->table().find("embedding.position.weight"));
    for (std::int64_t i = 0; i < weight.shape.elements(); ++i) weight.f32()[i] = value;
    save_model(runs_ / "poisoned", *model, nullptr);
  }
  Configuration from_poison(const char* objective, const char* run) {
    Configuration configuration = runs_.configuration(objective, run);
    configuration.model = {};
    configuration.model.path = runs_ / "poisoned";
    configuration.data.validation.clear();
    return configuration;
  }
  // A decoder with a head of its own, which `change` spoils.
  void spoil(const std::function<void(Transformer&)>& change) {
    fs::create_directories(runs_ / "poisoned");
    ModelConfig config = tiny_config("gpt2", tiny_bpe().vocabulary_size(), 16);
    config.tie_word_embeddings = false;
    auto model = tiny_model(config, Mode::evaluate, 16);
    change(*model);
    save_model(runs_ / "poisoned", *model, nullptr);
  }
  static std::span<float> values(Transformer& model, const char* parameter) {
    Tensor tensor = model.weight(model.table().find(parameter));
    return {tensor.f32(), static_cast<std::size_t>(tensor.elements())};
  }

  TinyRuns runs_;
};

TEST_F(Diverged, NamesTheStepAndItsDocuments) {
  for (float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    poison("gpt2", tiny_bpe(), value);
    Configuration configuration = from_poison("causal", value != value ? "nan" : "infinite");
    EXPECT_ERROR(train_quietly(configuration), diverged,
                 AllOf(HasSubstr("step 1"), HasSubstr("first in the weights: "), HasSubstr("train.txt:"),
                       HasSubstr("train.learning_rate")));
    EXPECT_FALSE(fs::exists(fs::path(configuration.run.directory) / "latest"));
  }
}

TEST_F(Diverged, InTheEvaluation) {
  poison("gpt2", tiny_bpe(), std::numeric_limits<float>::quiet_NaN());
  Configuration configuration = from_poison("causal", "run");
  configuration.data.validation = {runs_ / "held-out.txt"};
  EXPECT_ERROR(train_quietly(configuration), diverged,
               AllOf(HasSubstr("held-out loss"), HasSubstr("step 0"), HasSubstr("held-out.txt:")));
}

TEST_F(Diverged, MoreInARowThanAllowedStopTheRun) {
  Configuration configuration = runs_.configuration("causal", "run");
  configuration.data.validation.clear();
  configuration.train.max_steps = 2000;
  configuration.train.save_steps = 0;
  configuration.train.learning_rate = 1e37;
  configuration.train.max_grad_norm = 0;
  configuration.train.skip_nonfinite = 3;
  Recorder observer;
  EXPECT_ERROR(train(configuration, false, observer), diverged, HasSubstr("first in "));
  ASSERT_GE(observer.messages.size(), 3u);
  EXPECT_THAT(observer.messages.back(),
              AllOf(HasSubstr("the step is skipped (3 so far)"), HasSubstr("train.txt:")));
  EXPECT_EQ(observer.steps.back().skipped, 3);
  std::vector<Json> lines = read_lines(runs_ / "run/metrics.jsonl");
  EXPECT_TRUE(lines.back()["loss"].is_null());
  EXPECT_EQ(lines.back()["skipped"], 3);
}

// One document has a character whose embedding is not a number: steps that meet it are skipped, and the
// others train as if there had been no such step.
TEST_F(Diverged, AStepIsSkippedAndTheOthersTrain) {
  std::vector<std::int32_t> rare;
  tiny_bpe().encode("\xC2\xA7", rare);  // a byte a token
  ASSERT_EQ(rare.size(), 2u);
  runs_.write("train.txt", tiny_text(24, 5) + "\nthe cat sees \xC2\xA7.\n");
  spoil([&](Transformer& model) {
    std::span<float> embedding = values(model, "embedding.token.weight");
    std::fill_n(embedding.begin() + rare[0] * model.config().hidden_size, model.config().hidden_size, NAN);
  });
  Configuration configuration = from_poison("causal", "run");
  configuration.train.max_steps = 40;
  configuration.train.skip_nonfinite = 1;
  configuration.train.lr_scheduler_type = "constant";
  Recorder whole;
  train(configuration, false, whole);
  const std::int64_t skipped = whole.steps.back().skipped;
  EXPECT_GE(skipped, 2);
  EXPECT_LE(skipped, 20);
  EXPECT_EQ(std::ssize(whole.messages), skipped);
  const std::string line = std::to_string(1 + std::ranges::count(tiny_text(24, 5) + "\n", '\n'));
  for (const std::string& message : whole.messages) {
    EXPECT_THAT(message, AllOf(HasSubstr("the step is skipped"), HasSubstr("train.txt:" + line)));
  }
  std::int64_t null = 0;
  for (const Json& step : read_lines(runs_ / "run/metrics.jsonl")) {
    null += step["loss"].is_null();
    EXPECT_EQ(step["loss"].is_null(), step["grad_norm"].is_null());
    EXPECT_EQ(step["skipped"], null);
  }
  EXPECT_EQ(null, skipped);
  EXPECT_LT(whole.steps.back().loss, 0.9 * whole.steps.front().loss);

  configuration.run.directory = runs_ / "resumed";
  configuration.train.max_steps = 17;
  train_quietly(configuration);
  configuration.train.max_steps = 40;
  train_quietly(configuration, true);
  for (const char* file : {"latest/model.safetensors", "latest/state/optimizer.safetensors"}) {
    EXPECT_EQ(read_file(runs_ / "run" / file), read_file(runs_ / "resumed" / file)) << file;
  }
}

// The head's numbers are so large, and what it reads so small, that the logits are usual ones; only the
// gradient of the norm before the head overflows, where every row pulls the same way.
TEST_F(Diverged, AGradientMayBeInfiniteWhereTheLossIsNot) {
  runs_.write("train.txt", std::string(4000, 'q'));
  spoil([](Transformer& model) {
    for (float& weight : values(model, "head.weight")) weight = std::copysign(3e38f, weight);
    std::ranges::fill(values(model, "final_norm.weight"), 1.2e-38f);
    std::ranges::fill(values(model, "final_norm.bias"), 0.0f);
    std::ranges::fill(values(model, "embedding.position.weight"), 0.0f);
  });
  Configuration configuration = from_poison("causal", "run");
  configuration.train.skip_nonfinite = 2;
  Recorder observer;
  EXPECT_ERROR(train(configuration, false, observer), diverged,
               AllOf(HasSubstr("step 3"), HasSubstr("first in backward: the gradient of"),
                     HasSubstr("no checkpoint was saved yet")));
  ASSERT_EQ(observer.steps.size(), 2u);
  EXPECT_TRUE(std::isfinite(observer.steps.back().loss));
  EXPECT_FALSE(std::isfinite(observer.steps.back().gradient_norm));
}

TEST_F(Diverged, KeepsTheLastGoodCheckpoint) {
  Configuration configuration = runs_.configuration("causal", "run");
  configuration.train.max_steps = 2000;
  configuration.train.eval_steps = 0;
  configuration.train.save_steps = 1;
  configuration.train.learning_rate = 1e37;  // beyond what a configuration file may say
  configuration.train.max_grad_norm = 0;
  configuration.train.weight_decay = 0;
  Recorder observer;
  EXPECT_ERROR(train(configuration, false, observer), diverged,
               AllOf(HasSubstr("step "), HasSubstr("train.txt:"), HasSubstr("last checkpoint")));
  ASSERT_FALSE(observer.checkpoints.empty());
  fs::path kept = runs_ / "run/latest";
  EXPECT_EQ(fs::canonical(kept), fs::canonical(observer.checkpoints.back()));
  Transformer model(read_model_config(kept), Mode::evaluate, {.tokens = 16});
  EXPECT_NO_THROW(load_weights(kept, model));
  EXPECT_FALSE(fs::exists(runs_ / "run/summary.json"));
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_ / "run")) {
    EXPECT_THAT(entry.path().filename().string(), Not(testing::StartsWith(".tmp")));
  }
}

}  // namespace
}  // namespace surprisal
