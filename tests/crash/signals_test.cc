// Signals, streams and surroundings of the real program.
#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/file.h"
#include "tests/crash/disturbed_run.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

// A run of some seconds, so that there is time to send a signal: 300 steps, and many evaluations of a long
// text.
class Signals : public testing::Test {
 protected:
  std::string metrics(const std::string& name) const {
    const fs::path file = runs_.run(name) / "metrics.jsonl";
    return fs::exists(file) ? read_file(file) : "";
  }
  bool any_begins(const fs::path& directory, const std::string& begin) const {
    std::error_code none;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, none)) {
      if (entry.path().filename().string().starts_with(begin)) return true;
    }
    return false;
  }
  // Sends `signal` to a new run once `reached` says so, and expects that it is obeyed.
  Outcome stop(const std::string& name, int signal, const std::function<bool()>& reached) {
    fs::create_directories(runs_.place() / name);
    Process process(runs_.place().path(), runs_.arguments(name), runs_.shimmed(name));
    EXPECT_TRUE(process.wait_until(reached)) << process.err();
    process.send(signal);
    Outcome outcome = process.wait();
    EXPECT_EQ(outcome.signal, 0);  // it did not end by the signal, but because of it
    EXPECT_EQ(outcome.code, 128 + signal) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("stopped by signal " + std::to_string(signal)));
    EXPECT_FALSE(fs::exists(runs_.run(name) / "summary.json"));
    return outcome;
  }
  // What was stopped on the way may have been saved at other steps.
  void expect_completes(const std::string& name) {
    runs_.expect_checkpoint(name);
    Outcome resumed = runs_.disturb(name, {}, {"--resume"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    runs_.expect_ends_alike(name);
  }

  const DisturbedRuns runs_{"mlm + nsp",
                            {"--train.max_steps=300", "--train.save_steps=100", "--train.eval_steps=150",
                             "--data.train=[\"long.txt\"]"}};
};

TEST_F(Signals, WhileTokenising) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Outcome outcome = stop("tokenising", signal,
                           [&] { return any_begins(runs_.place() / "tokenising/.surprisal-cache", "."); });
    EXPECT_THAT(outcome.err, HasSubstr("after step 0"));
    expect_completes("tokenising");
    EXPECT_FALSE(any_begins(runs_.place() / "tokenising/.surprisal-cache", "."));
    runs_.remove("tokenising");
  }
}

TEST_F(Signals, WhileTraining) {
  for (const int signal : {SIGTERM, SIGINT}) {
    stop("training", signal, [&] { return metrics("training").find("\"step\":20,") != std::string::npos; });
    const std::string saved = fs::read_symlink(runs_.run("training") / "latest");
    EXPECT_THAT(metrics("training"),
                HasSubstr("\"step\":" + std::to_string(std::stoi(saved.substr(5))) + ","));
    expect_completes("training");
    runs_.remove("training");
  }
}

TEST_F(Signals, WhileSaving) {
  for (const int signal : {SIGTERM, SIGINT}) {
    stop("saving", signal, [&] { return any_begins(runs_.run("saving"), ".tmp-step-"); });
    expect_completes("saving");
    runs_.remove("saving");
  }
}

TEST_F(Signals, ToSaveGoesOn) {
  const std::string name = "asked";
  fs::create_directories(runs_.place() / name);
  Process process(runs_.place().path(), runs_.arguments(name, {"--train.save_total_limit=0"}),
                  runs_.shimmed(name));
  EXPECT_TRUE(process.wait_until([&] { return metrics(name).find("\"step\":20,") != std::string::npos; }));
  process.send(SIGUSR1);
  Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  std::vector<std::string> saved;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs_.run(name))) {
    if (entry.path().filename().string().starts_with("step-")) saved.push_back(entry.path().filename());
  }
  EXPECT_EQ(saved.size(), 5u);  // 100, 150, 200, 300, and the one that was asked for
  runs_.expect_ends_alike(name);
}

// Products run with the stack pointer in the heap: a handler called there would write over what lies below.
// With a signal every few milliseconds some would come in the middle of one.
TEST_F(Signals, HundredsChangeNothing) {
  const std::string name = "many";
  fs::create_directories(runs_.place() / name);
  Process process(runs_.place().path(), runs_.arguments(name), runs_.shimmed(name));
  EXPECT_TRUE(process.wait_until([&] { return !metrics(name).empty(); })) << process.err();
  int sent = 0;
  for (; process.running() && metrics(name).find("\"step\":280,") == std::string::npos; ++sent) {
    process.send(SIGUSR1);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  Outcome outcome = process.wait();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_GT(sent, 100);
  runs_.expect_ends_alike(name);
}

// Both signals wait while the process is stopped, so that it gets them at once.
TEST_F(Signals, TheSecondEndsAtOnce) {
  const std::string name = "twice";
  fs::create_directories(runs_.place() / name);
  Process process(runs_.place().path(), runs_.arguments(name), runs_.shimmed(name));
  EXPECT_TRUE(process.wait_until([&] { return metrics(name).find("\"step\":120,") != std::string::npos; }));
  process.send(SIGSTOP);
  process.send(SIGTERM);
  process.send(SIGINT);
  process.send(SIGCONT);
  Outcome outcome = process.wait();
  EXPECT_THAT(outcome.signal, testing::AnyOf(SIGTERM, SIGINT)) << outcome.err;
  EXPECT_THAT(outcome.err, Not(HasSubstr("stopped by signal")));
  expect_completes(name);
}

// A held-out text that takes far longer than the steps.
TEST(SignalsWhileEvaluating, TheEvaluationIsDoneAgain) {
  const DisturbedRuns runs("causal", {"--data.validation=[\"long.txt\"]"});
  for (const int step : {0, 4}) {
    const std::string name = "evaluating" + std::to_string(step),
                      begun = step == 0 ? "" : "\"step\":" + std::to_string(step) + ",";
    fs::create_directories(runs.place() / name);
    Process process(runs.place().path(), runs.arguments(name), runs.shimmed(name));
    const fs::path metrics = runs.run(name) / "metrics.jsonl";
    EXPECT_TRUE(process.wait_until(
        [&] { return fs::exists(metrics) && read_file(metrics).find(begun) != std::string::npos; }));
    process.send(SIGTERM);
    Outcome outcome = process.wait();
    EXPECT_EQ(outcome.code, 143) << outcome.err;
    EXPECT_THAT(outcome.err, Not(HasSubstr("step " + std::to_string(step) + " held-out")));
    EXPECT_EQ(fs::exists(runs.run(name) / "latest"), step > 0);
    runs.expect_recovers(name);
  }
}

class Surroundings : public testing::Test {
 protected:
  int shell(const std::string& script) const {
    const int status = std::system(("cd '" + runs_.place().path().string() + "' && " + script).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string train(const std::string& name) const {
    std::string command = "OMP_WAIT_POLICY=passive '" SURPRISAL_PROGRAM "'";
    for (const std::string& argument : runs_.arguments(name)) command += " '" + argument + "'";
    return command;
  }
  void expect_unharmed(const std::string& name) {
    runs_.expect_as_undisturbed(name);
    EXPECT_EQ(fs::file_size(runs_.run(name) / "run.lock"), 0u);
  }

  const DisturbedRuns runs_{"causal"};
};

// A run outlives whoever reads what it says.
TEST_F(Surroundings, WhereNobodyReadsItsOutput) {
  EXPECT_EQ(shell(train("a") + " 2>&1 | true"), 0);
  expect_unharmed("a");
  EXPECT_EQ(shell("{ " + train("b") + " 2>/dev/null; echo $? >b.code; } | true"), 0);
  expect_unharmed("b");
  EXPECT_THAT(read_file(runs_.place() / "b.code"), testing::AnyOf("0\n", "6\n"));  // that it could not print
  EXPECT_EQ(shell(train("c") + " >/dev/null 2>/dev/full"), 0);
  expect_unharmed("c");
}

// What is meant for a closed stream does not go into the next file that is opened.
TEST_F(Surroundings, WhereItsStreamsAreClosed) {
  EXPECT_EQ(shell(train("out") + " 2>/dev/null >&-"), 6);
  expect_unharmed("out");
  EXPECT_EQ(shell(train("err") + " >/dev/null 2>&-"), 0);
  expect_unharmed("err");
  EXPECT_EQ(shell(train("all") + " <&- >&- 2>&-"), 6);
  expect_unharmed("all");
  EXPECT_EQ(shell("'" SURPRISAL_PROGRAM "' train nothing.toml 2>&-"), 6);  // no abort for want of a stream
}

TEST_F(Surroundings, WithoutAHomeAndInAnyLocale) {
  const std::vector<std::vector<std::string>> variables{
      {"HOME"},        {"HOME=/nowhere"}, {"LC_ALL=C"}, {"LC_ALL=C.UTF-8"}, {"LC_ALL=de_DE.UTF-8", "LANG=xx"},
      {"PATH", "TERM"}};
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const std::string name = "run" + std::to_string(i);
    Outcome outcome = runs_.train(name, {}, variables[i]);
    EXPECT_EQ(outcome.code, 0) << variables[i].front() << outcome.err;
    runs_.expect_as_undisturbed(name);
  }
}

TEST_F(Surroundings, InDirectoriesWithBlanksAndAnyScript) {
  const std::string text = "texts of \xc3\xa9t\xc3\xa9/\xe8\xaf\xad \xe6\x96\x99.txt";
  fs::create_directories((runs_.place() / text).parent_path());
  fs::copy(runs_.place() / "train.txt", runs_.place() / text);
  for (const std::string name : {"a b", "\xe8\xae\xad\xe7\xbb\x83", "quote'\"", "new\nline"}) {
    Outcome outcome = runs_.train(name, {"--data.train", "[\"" + text + "\"]"}, {"LC_ALL=C"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, fs::canonical(runs_.run(name)).string() + "\n");
    runs_.expect_as_undisturbed(name);
    Outcome resumed = runs_.train(name, {"--data.train", "[\"" + text + "\"]", "--resume"});
    EXPECT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_THAT(resumed.err, HasSubstr("going on from"));
  }
}

TEST_F(Surroundings, TwoRunsInOneDirectory) {
  fs::create_directories(runs_.place() / "one");
  Process first(runs_.place().path(), runs_.arguments("one", {"--train.max_steps=100000"}));
  ASSERT_TRUE(first.wait_until([&] { return fs::exists(runs_.run("one") / "latest"); }));
  EXPECT_FAILS(runs_.train("one", {"--resume"}), 2,
               AllOf(HasSubstr("run.lock"), HasSubstr("another process is at work here")));
  EXPECT_TRUE(first.running());
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().signal, SIGKILL);
  EXPECT_EQ(runs_.train("one", {"--resume", "--train.max_steps=1"}).code, 0);
}

}  // namespace
}  // namespace surprisal
