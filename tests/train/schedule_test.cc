#include "train/schedule.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace surprisal {
namespace {

constexpr const char* kTypes[] = {"linear",     "cosine",       "constant",
                                  "polynomial", "inverse_sqrt", "warmup_stable_decay"};

TrainOptions options(const char* type, std::int64_t warmup = 0, double ratio = 0) {
  TrainOptions options;
  options.learning_rate = 2;
  options.lr_scheduler_type = type;
  options.warmup_steps = warmup;
  options.warmup_ratio = ratio;
  return options;
}

TEST(Schedule, RisesInALineToThePeak) {
  for (const char* type : kTypes) {
    TrainOptions warm = options(type, 4);
    for (std::int64_t step = 1; step <= 4; ++step) {
      EXPECT_DOUBLE_EQ(learning_rate(warm, 12, step), 0.5 * static_cast<double>(step)) << type;
    }
    EXPECT_DOUBLE_EQ(learning_rate(warm, 12, 5), 2)
        << type;  // the first step after warmup still has all of it
  }
}

TEST(Schedule, FallsByItsType) {
  EXPECT_DOUBLE_EQ(learning_rate(options("linear", 4), 12, 9), 1);
  EXPECT_DOUBLE_EQ(learning_rate(options("linear", 4), 12, 12), 2.0 / 8);
  EXPECT_DOUBLE_EQ(learning_rate(options("cosine", 4), 12, 9), 1);
  EXPECT_DOUBLE_EQ(learning_rate(options("cosine", 4), 12, 12), 1 + std::cos(std::numbers::pi * 7 / 8));
  EXPECT_DOUBLE_EQ(learning_rate(options("constant", 4), 12, 12), 2);
}

TEST(Schedule, FallsToTheLeastThatIsAskedFor) {
  for (const char* type : {"linear", "cosine", "polynomial", "warmup_stable_decay"}) {
    TrainOptions made = options(type, 4);
    made.lr_min_ratio = 0.25;
    const double whole = learning_rate(options(type, 4), 12, 12) / 2;
    EXPECT_DOUBLE_EQ(learning_rate(made, 12, 12), 2 * (0.25 + 0.75 * whole)) << type;
    EXPECT_DOUBLE_EQ(learning_rate(made, 12, 5), 2) << type;
  }
}

// Values from the formulas of transformers' get_polynomial_decay_schedule_with_warmup and
// get_inverse_sqrt_schedule, whose first step has number 0.
TEST(Schedule, PolynomialAndInverseSquareRootAsTheirPublishedFormulas) {
  TrainOptions square = options("polynomial", 2);
  square.lr_power = 2;
  EXPECT_DOUBLE_EQ(learning_rate(square, 12, 8), 2 * 0.25);  // half of the way
  EXPECT_DOUBLE_EQ(learning_rate(options("inverse_sqrt", 4), 100, 17), 2 * std::sqrt(4 / 16.0));
  EXPECT_DOUBLE_EQ(learning_rate(options("inverse_sqrt"), 100000, 30001), 2 * std::sqrt(10000 / 40000.0));
}

TEST(Schedule, StableThenDecay) {
  TrainOptions made = options("warmup_stable_decay", 10);
  made.lr_decay_ratio = 0.25;  // the last 25 of 100 steps
  EXPECT_DOUBLE_EQ(learning_rate(made, 100, 11), 2);
  EXPECT_DOUBLE_EQ(learning_rate(made, 100, 76), 2);
  EXPECT_DOUBLE_EQ(learning_rate(made, 100, 77), 2 * (1 - std::sqrt(1 / 25.0)));
  EXPECT_DOUBLE_EQ(learning_rate(made, 100, 92), 2 * (1 - std::sqrt(16 / 25.0)));
  made.lr_decay_ratio = 1;  // never into the warmup
  EXPECT_DOUBLE_EQ(learning_rate(made, 100, 11), 2);
}

TEST(Schedule, WithoutWarmupBeginsAtThePeak) {
  for (const char* type : kTypes) {
    EXPECT_DOUBLE_EQ(learning_rate(options(type), 10, 1), 2) << type;
    EXPECT_DOUBLE_EQ(learning_rate(options(type), 1, 1), 2) << type;
  }
}

TEST(Schedule, NoStepIsWastedOnARateOfZero) {
  for (const char* type : kTypes) {
    for (std::int64_t total : {1, 2, 3, 17, 1000}) {
      for (std::int64_t warmup : {0, 1, 2, 17, 1000, 5000}) {
        double before = 0;
        for (std::int64_t step = 1; step <= total; ++step) {
          double rate = learning_rate(options(type, warmup), total, step);
          ASSERT_GT(rate, 0) << type << total << warmup << step;
          ASSERT_LE(rate, 2);
          if (step <= warmup) {
            ASSERT_GT(rate, before);
          }
          if (step > warmup + 1) {
            ASSERT_LE(rate, before);
          }
          before = rate;
        }
      }
    }
  }
}

TEST(Schedule, WarmupAsARatioIsRoundedUp) {
  EXPECT_EQ(warmup_steps(options("linear", 0, 0.1), 100), 10);
  EXPECT_EQ(warmup_steps(options("linear", 0, 0.1), 101), 11);
  EXPECT_EQ(warmup_steps(options("linear", 0, 1), 7), 7);
  EXPECT_EQ(warmup_steps(options("linear", 9, 0), 100), 9);
  EXPECT_EQ(warmup_steps(options("linear", 9, 0), 5), 5);  // no longer than the run
  EXPECT_DOUBLE_EQ(learning_rate(options("linear", 0, 0.5), 4, 1), 1);
}

}  // namespace
}  // namespace surprisal
