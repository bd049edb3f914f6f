#include "train/optimizer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

class OptimizerTest : public testing::Test {
 protected:
  OptimizerTest() {
    options_.weight_decay = 0.1;
    options_.max_grad_norm = 0;
  }
  // Gives every parameter proper (not the padding between them) the gradient `value`.
  void set_gradients(float value) {
    for (const Parameter& parameter : model_->table().parameters) {
      std::span<float> gradient = model_->gradients().subspan(
          static_cast<std::size_t>(parameter.offset), static_cast<std::size_t>(parameter.shape.elements()));
      std::fill(gradient.begin(), gradient.end(), value);
    }
  }
  float at(std::span<const float> values, const Parameter& parameter) const {
    return values[static_cast<std::size_t>(parameter.offset)];
  }

  TrainOptions options_;
  std::unique_ptr<Transformer> model_ = tiny_model(tiny_config("bert", 30, 8), Mode::train, 8);
  Optimizer optimizer_{*model_};
};

TEST_F(OptimizerTest, ReturnsTheGlobalNorm) {
  set_gradients(0.5f);
  EXPECT_NEAR(optimizer_.step(*model_, options_, 1, 1e-3),
              0.5 * std::sqrt(static_cast<double>(model_->table().count)), 1e-6);
}

// With a gradient of 0 only decay moves a weight.
TEST_F(OptimizerTest, DecayActsOnEverythingButBiasesAndNorms) {
  std::vector<float> before(model_->weights().begin(), model_->weights().end());
  set_gradients(0);
  optimizer_.step(*model_, options_, 1, 0.5);
  int decayed = 0, left = 0;
  for (const Parameter& parameter : model_->table().parameters) {
    bool bias_or_norm =
        parameter.name.find("bias") != std::string::npos || parameter.name.find("norm") != std::string::npos;
    EXPECT_EQ(parameter.decay, !bias_or_norm) << parameter.name;
    float factor = parameter.decay ? 1 - 0.5f * 0.1f : 1;
    ++(parameter.decay ? decayed : left);
    EXPECT_FLOAT_EQ(at(model_->weights(), parameter), factor * at(before, parameter)) << parameter.name;
  }
  EXPECT_GT(decayed, 5);
  EXPECT_GT(left, 5);
}

// Adam forgets the scale of a gradient but for its moments, which show it.
TEST_F(OptimizerTest, ClipsByTheGlobalNorm) {
  set_gradients(3);
  options_.max_grad_norm = 1.5;
  double norm = optimizer_.step(*model_, options_, 1, 1e-3);
  EXPECT_NEAR(norm, 3 * std::sqrt(static_cast<double>(model_->table().count)), 1e-4);  // before clipping
  double clipped = 3 * 1.5 / (norm + 1e-6);
  for (const Parameter& parameter : model_->table().parameters) {
    EXPECT_NEAR(at(optimizer_.first_moment(), parameter) / (0.1 * clipped), 1, 1e-5);
    EXPECT_NEAR(at(optimizer_.second_moment(), parameter) / (0.001 * clipped * clipped), 1, 1e-5);
  }
}

TEST_F(OptimizerTest, LeavesASmallNormAlone) {
  set_gradients(1e-3f);
  options_.max_grad_norm = 1.5;
  optimizer_.step(*model_, options_, 1, 1e-3);
  EXPECT_FLOAT_EQ(at(optimizer_.first_moment(), model_->table().parameters[0]), 1e-4f);
}

// The first step of Adam moves every weight by the learning rate, against its gradient; without bias
// correction by (1 - beta1) / sqrt(1 - beta2) of it.
TEST_F(OptimizerTest, FirstStep) {
  options_.weight_decay = 0;
  for (bool correction : {true, false}) {
    options_.adam_bias_correction = correction;
    Optimizer fresh(*model_);
    std::vector<float> before(model_->weights().begin(), model_->weights().end());
    set_gradients(-0.25f);
    fresh.step(*model_, options_, 1, 0.01);
    double moved = correction ? 0.01 : 0.01 * 0.1 / std::sqrt(0.001);
    for (const Parameter& parameter : model_->table().parameters) {
      EXPECT_NEAR(at(model_->weights(), parameter) - at(before, parameter), moved, 1e-6) << parameter.name;
    }
  }
}

// As PyTorch leaves out a parameter whose gradient is none: neither decay nor the moments' fading reach the
// head of a term that the step does not have.
TEST_F(OptimizerTest, AHeadWithNothingInTheStepStaysAsItIs) {
  for (const StepContent content : {StepContent{true, false}, StepContent{false, true}, StepContent{}}) {
    Optimizer fresh(*model_);
    set_gradients(0.5f);
    fresh.step(*model_, options_, 1, 0.5);
    const std::vector<float> weights(model_->weights().begin(), model_->weights().end()),
        moments(fresh.first_moment().begin(), fresh.first_moment().end());
    set_gradients(0);
    fresh.step(*model_, options_, 2, 0.5, content);
    int stayed = 0;
    for (const Parameter& parameter : model_->table().parameters) {
      const bool of_labels =
                     parameter.name.starts_with("pooler.") || parameter.name.starts_with("sentence_head."),
                 of_targets = parameter.name.starts_with("head."),
                 stays = (of_labels && !content.labels) || (of_targets && !content.targets);
      EXPECT_EQ(at(model_->weights(), parameter) == at(weights, parameter), stays) << parameter.name;
      EXPECT_EQ(at(fresh.first_moment(), parameter) == at(moments, parameter), stays) << parameter.name;
      stayed += stays;
    }
    EXPECT_EQ(stayed, !content.labels ? 4 : !content.targets ? 5 : 0);
  }
}

TEST_F(OptimizerTest, AGradientThatIsNotFiniteChangesNothing) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    set_gradients(1);
    model_->gradients()[3] = bad;
    std::vector<float> before(model_->weights().begin(), model_->weights().end());
    EXPECT_FALSE(std::isfinite(optimizer_.step(*model_, options_, 1, 0.1)));
    EXPECT_TRUE(std::equal(before.begin(), before.end(), model_->weights().begin()));
    EXPECT_EQ(optimizer_.first_moment()[0], 0);
  }
}

TEST_F(OptimizerTest, ThePlanIsItsMemory) {
  EXPECT_EQ(Optimizer::plan(model_->table()),
            2 * static_cast<std::size_t>(model_->table().size) * sizeof(float));
}

}  // namespace
}  // namespace surprisal
