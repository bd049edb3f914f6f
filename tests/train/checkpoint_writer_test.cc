#include "train/checkpoint_writer.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "store/manifest.h"
#include "store/model_directory.h"
#include "tests/core/temporary_directory.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

class CheckpointWriterTest : public testing::Test {
 protected:
  CheckpointWriterTest() { run_.open(false); }
  // The weights of a checkpoint, which are one number each.
  float stored(std::int64_t step) const {
    Transformer model(config_, Mode::evaluate, {.tokens = 8});
    load_weights(run_.checkpoint(step), model);
    return model.weights()[0];
  }
  int count(const char* prefix) const {
    return static_cast<int>(std::count_if(
        fs::directory_iterator(run_.path()), fs::directory_iterator(),
        [&](const auto& entry) { return entry.path().filename().string().starts_with(prefix); }));
  }

  TemporaryDirectory directory_;
  RunDirectory run_{directory_ / "run"};
  ModelConfig config_ = tiny_config("bert", tiny_wordpiece().vocabulary_size(), 8);
  std::unique_ptr<Transformer> model_ = tiny_model(config_, Mode::train, 8);
  Optimizer optimizer_{*model_};
  CheckpointAdapter none_;
  CheckpointWriter writer_{run_, *model_, optimizer_, tiny_wordpiece(), {}, none_};
};

// Saves that come faster than the disk takes them: each waits for the one before, and none is left out.
TEST_F(CheckpointWriterTest, NeverHasTwoInFlight) {
  constexpr int kSaves = 30;
  for (int step = 1; step <= kSaves; ++step) {
    std::ranges::fill(model_->weights(), static_cast<float>(step));
    writer_.save({.step = step}, {});
    EXPECT_LE(count(".tmp"), 1) << step;
    if (step > 1) {
      EXPECT_NO_THROW(verify_manifest(run_.checkpoint(step - 1))) << step;
    }
  }
  ASSERT_TRUE(writer_.finish());
  for (int step = 1; step <= kSaves; ++step) EXPECT_EQ(stored(step), static_cast<float>(step));
  EXPECT_FALSE(writer_.finish());  // is told once
}

// Steps go on while the file is written: it has what was there when the save began.
TEST_F(CheckpointWriterTest, WritesTheStateOfItsMoment) {
  for (int step = 1; step <= 20; ++step) {
    std::ranges::fill(model_->weights(), 1.0f);
    writer_.save({.step = step}, {.limit = 1});
    std::ranges::fill(model_->weights(), 2.0f);
    std::optional<CheckpointWriter::Outcome> outcome = writer_.finish();
    ASSERT_TRUE(outcome);
    EXPECT_FALSE(outcome->failure);
    EXPECT_EQ(outcome->path, run_.checkpoint(step));
    EXPECT_EQ(stored(step), 1.0f);
  }
  EXPECT_EQ(count("step-"), 1);
}

TEST_F(CheckpointWriterTest, ThePlanIsTheCopyOfWeightsAndMoments) {
  EXPECT_EQ(CheckpointWriter::plan(config_),
            3 * static_cast<std::size_t>(model_->table().size) * sizeof(float));
}

}  // namespace
}  // namespace surprisal
