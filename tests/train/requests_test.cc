// What stops a run before its end, and what it leaves.
#include <chrono>
#include <filesystem>
#include <thread>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/train/tiny_run.h"
#include "train/run_directory.h"
#include "train/signals.h"
#include "train/trainer.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

class RequestsTest : public testing::Test {
 protected:
  void expect_finishes_as(const char* run, const char* whole) {
    train_quietly(runs_.configuration("causal", run), true);
    EXPECT_EQ(read_file(runs_ / run / "latest/model.safetensors"),
              read_file(runs_ / whole / "latest/model.safetensors"));
    EXPECT_EQ(read_file(runs_ / run / "latest/state/optimizer.safetensors"),
              read_file(runs_ / whole / "latest/state/optimizer.safetensors"));
    EXPECT_EQ(metrics(run), metrics(whole));
  }
  std::string metrics(const char* run) {
    for (const auto& [name, content] : timeless_content(runs_ / run)) {
      if (name == "metrics.jsonl") return content;
    }
    return {};
  }

  TinyRuns runs_;
};

TEST_F(RequestsTest, AStopFinishesTheStepAndSaves) {
  train_quietly(runs_.configuration("causal", "whole"));
  for (std::int64_t last : {1, 3, 4, 7}) {
    const std::string run = "stopped" + std::to_string(last);
    Requests requests;
    Recorder observer;
    observer.on_step = [&](std::int64_t step) {
      if (step == last) requests.stop(SIGTERM);
    };
    RunSummary summary = train(runs_.configuration("causal", run), false, observer, &requests);
    EXPECT_EQ(summary.stopped_by, SIGTERM);
    EXPECT_EQ(observer.steps.back().step, last);
    EXPECT_EQ(fs::read_symlink(runs_ / run / "latest"), checkpoint_name(last));
    EXPECT_FALSE(fs::exists(runs_ / run / "summary.json"));
    expect_finishes_as(run.c_str(), "whole");
  }
}

TEST_F(RequestsTest, WhileEvaluatingTheEvaluationIsDoneAgain) {
  train_quietly(runs_.configuration("causal", "whole"));
  for (std::int64_t at : {0, 4, 8}) {
    const std::string run = "evaluating" + std::to_string(at);
    Requests requests;
    Recorder observer;
    // A stop that comes in while step 4 reports is met by the evaluation, which comes next.
    observer.on_step = [&](std::int64_t step) {
      if (step == at) requests.stop(SIGINT);
    };
    if (at == 0) requests.stop(SIGINT);
    RunSummary summary = train(runs_.configuration("causal", run), false, observer, &requests);
    EXPECT_EQ(summary.stopped_by, SIGINT);
    EXPECT_THAT(observer.evaluated_steps, testing::Not(Contains(at)));
    expect_finishes_as(run.c_str(), "whole");
  }
}

TEST_F(RequestsTest, ASaveThatIsAskedForGoesOn) {
  Requests requests;
  Recorder observer;
  observer.on_step = [&](std::int64_t step) {
    if (step == 5) requests.save();
  };
  Configuration configuration = runs_.configuration("causal", "run");
  configuration.train.save_total_limit = 0;
  RunSummary summary = train(configuration, false, observer, &requests);
  EXPECT_EQ(summary.stopped_by, 0);
  EXPECT_EQ(summary.steps, 12);
  EXPECT_TRUE(fs::exists(runs_ / "run" / checkpoint_name(5)));
  EXPECT_FALSE(fs::exists(runs_ / "run" / checkpoint_name(6)));
}

template <typename Condition>
void wait_until(Condition condition) {
  while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// In a process of its own, whose other threads all block them.
TEST(SignalRequestsDeathTest, SignalsAreRequests) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Requests requests;
        {
          SignalRequests signals(requests);
          kill(getpid(), SIGUSR1);
          wait_until([&] { return requests.take_save(); });
          if (requests.stopping() != 0) _exit(1);
          kill(getpid(), SIGTERM);
          wait_until([&] { return requests.stopping() != 0; });
        }
        sigset_t blocked;
        pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
        _exit(requests.stopping() == SIGTERM && !sigismember(&blocked, SIGTERM) ? 0 : 2);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        Requests requests;
        SignalRequests signals(requests);
        kill(getpid(), SIGTERM);
        wait_until([&] { return requests.stopping() != 0; });
        kill(getpid(), SIGINT);  // the second
        pause();
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST_F(RequestsTest, EarlyStoppingEndsTheRunAndSaysSo) {
  Configuration configuration = runs_.configuration("causal", "run");
  configuration.train.max_steps = 40;
  configuration.train.eval_steps = 2;
  configuration.train.early_stopping_patience = 3;
  configuration.train.early_stopping_threshold = 100;  // nothing improves by so much
  Recorder observer;
  RunSummary summary = train(configuration, false, observer);
  EXPECT_EQ(summary.steps, 8);  // 2 is the first, and 4, 6 and 8 are no better
  EXPECT_THAT(observer.messages,
              Contains(HasSubstr("eval_loss was not better in 3 evaluations: stopping at step 8")));
  EXPECT_EQ(fs::read_symlink(runs_ / "run/latest"), checkpoint_name(8));
  Recorder again;
  EXPECT_EQ(train(configuration, true, again).steps, 8);
  EXPECT_TRUE(again.steps.empty());
}

TEST_F(RequestsTest, TheBestByAnyMetric) {
  Configuration configuration = runs_.configuration("mlm + nsp", "run");
  configuration.objective.evaluate = {"mlm", "nsp"};
  configuration.train.eval_steps = 2;
  configuration.train.metric_for_best_model = "eval/nsp/label_accuracy";
  configuration.train.save_total_limit = 1;
  configuration.train.save_best_limit = 2;
  train_quietly(configuration);
  double best = -1;
  std::int64_t step = 0;
  for (const Json& line : read_lines(runs_ / "run/metrics.jsonl")) {
    if (!line.contains("eval_loss")) continue;
    EXPECT_TRUE(line.contains("eval/mlm/loss"));
    if (line["step"] > 0 && line["eval/nsp/label_accuracy"].get<double>() > best) {
      best = line["eval/nsp/label_accuracy"];
      step = line["step"];
    }
  }
  EXPECT_EQ(fs::read_symlink(runs_ / "run/best"), checkpoint_name(step));
  configuration.run.directory = runs_ / "other";
  configuration.train.metric_for_best_model = "eval_bleu";
  EXPECT_ERROR(
      train_quietly(configuration), usage,
      AllOf(HasSubstr("train.metric_for_best_model"), HasSubstr("eval_bleu"), HasSubstr("eval_loss")));
}

TEST_F(RequestsTest, ATryWithFewDocumentsOrOneBatch) {
  Configuration configuration = runs_.configuration("causal", "limited");
  configuration.train.limit = 3;
  Recorder observer;
  train(configuration, false, observer);
  EXPECT_EQ(observer.plans.front().data.documents, 3u);
  EXPECT_EQ(observer.plans.front().validation->documents, 3u);

  Configuration overfit = runs_.configuration("causal", "overfit");
  overfit.train.overfit_one_batch = true;
  overfit.train.max_steps = 60;
  overfit.train.eval_steps = 0;
  Recorder second;
  train(overfit, false, second);
  Configuration usual = overfit;
  usual.run.directory = runs_ / "usual";
  usual.train.overfit_one_batch = false;
  Recorder third;
  train(usual, false, third);
  EXPECT_EQ(second.steps.front().loss, third.steps.front().loss);  // the same first batch
  EXPECT_LT(second.steps.back().loss, 0.7 * third.steps.back().loss);
  Configuration stopped = overfit;
  stopped.run.directory = runs_ / "stopped";
  stopped.train.max_steps = 30;
  stopped.train.lr_scheduler_type = overfit.train.lr_scheduler_type = "constant";
  train_quietly(stopped);
  stopped.train.max_steps = 60;
  overfit.run.directory = runs_ / "constant";
  train_quietly(overfit);
  train_quietly(stopped, true);
  EXPECT_EQ(read_file(runs_ / "stopped/latest/model.safetensors"),
            read_file(runs_ / "constant/latest/model.safetensors"));
}

TEST_F(RequestsTest, InTheBackgroundOrNotTheBytesAreTheSame) {
  Configuration background = runs_.configuration("mlm + nsp", "background"),
                waiting = runs_.configuration("mlm + nsp", "waiting");
  waiting.train.save_in_background = false;
  train_quietly(background);
  train_quietly(waiting);
  auto content = [&](const char* run) { return timeless_content(runs_ / run); };
  EXPECT_EQ(content("background"), content("waiting"));
}

}  // namespace
}  // namespace surprisal
