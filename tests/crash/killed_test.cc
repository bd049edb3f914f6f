// kill -9 at every call that changes a file, and at random instants: a loadable checkpoint is there once one
// was, and the run that is resumed ends with the bytes of one that nothing disturbed.
#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "core/file.h"
#include "tests/crash/disturbed_run.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kInForeground = "--train.save_in_background=false";

void expect_survives(const DisturbedRuns& runs, const Call& call, Disturbance disturbance) {
  SCOPED_TRACE(testing::Message() << disturbance.action << " at call " << call.number << ": " << call.name
                                  << " " << call.paths);
  disturbance.at = call.number;
  Outcome killed = runs.disturb("killed", disturbance);
  EXPECT_EQ(killed.signal, SIGKILL) << killed.err;
  runs.expect_recovers("killed");
  runs.remove("killed");
}

std::vector<Call> named(const std::vector<Call>& calls, const std::string& name) {
  std::vector<Call> found;
  for (const Call& call : calls) {
    if (call.name == name) found.push_back(call);
  }
  return found;
}

// The shim sees whatever changes a file: what it saw written to each file is what the file holds.
TEST(Shim, SeesEveryByteOfARun) {
  const DisturbedRuns runs("causal", {kInForeground, "--train.save_total_limit=0"});
  std::map<std::string, std::size_t> written;  // by name, which temporary files pass on when they are renamed
  for (const Call& call : runs.calls()) {
    const std::string from = call.paths.substr(0, call.paths.find(' ')),
                      to = call.paths.substr(call.paths.find(' ') + 1);
    if (call.name == "open" && !from.ends_with(".jsonl")) written[from] = 0;
    if (call.name == "write") written[from] += call.bytes;
    if (call.name != "rename") continue;
    for (auto [name, bytes] : std::map(written)) {
      if (name != from && !name.starts_with(from + "/")) continue;
      written.erase(name);
      written[to + name.substr(from.size())] = bytes;
    }
  }
  std::size_t files = 0, links = 0;
  for (const fs::path& path : list_tree(fs::canonical(runs.run("whole").parent_path()))) {
    links += fs::is_symlink(path);
    if (fs::is_symlink(path) || !fs::is_regular_file(path) || path.filename() == "run.lock") continue;
    EXPECT_EQ(written[path], fs::file_size(path)) << path;
    ++files;
  }
  // 6 checkpoints of 7 files; configuration, environment, metrics, samples and summary; tokens of two texts.
  EXPECT_EQ(files, 6 * 7 + 5 + 2);
  EXPECT_EQ(links, 2);
  // Each file is synced before its directory gets its name, and each name by its parent.
  EXPECT_GE(named(runs.calls(), "fsync").size(), 6 * (7 + 2 + 1) + 3);
}

class Killed : public testing::TestWithParam<const char*> {
 protected:
  // Two objectives stand for all where everything is tried.
  static bool exhaustive() {
    return thorough() && (GetParam() == std::string("causal") || GetParam() == std::string("mlm + nsp"));
  }
};
INSTANTIATE_TEST_SUITE_P(Objectives, Killed,
                         testing::Values("causal", "reverse", "mlm", "mlm + nsp", "mlm + sop",
                                         "0.5 causal | 0.5 reverse", "0.5 blank_infilling | 0.5 causal"));

// While steps go on beside the saves, as they do by default.
TEST_P(Killed, AtAnyCall) {
  const DisturbedRuns runs(GetParam());
  for (const Call& call : exhaustive() ? runs.calls() : some_of(runs.calls(), thorough() ? 40 : 2)) {
    expect_survives(runs, call, {.action = "kill"});
  }
}

// The save of step 9, which replaces that of step 6: each kind of call on each file.
TEST_P(Killed, AtEveryCallOfASave) {
  const DisturbedRuns runs(GetParam(), {kInForeground});
  const std::vector<Call> save = without_repeats(calls_of_save(runs.calls(), 9));
  ASSERT_GE(save.size(), 45u);
  ASSERT_FALSE(named(save, "rmdir").empty());  // and its rotation
  const std::size_t some = GetParam() == std::string("mlm + nsp") ? 20 : 2;
  for (const Call& call : thorough() ? save : some_of(save, some)) {
    expect_survives(runs, call, {.action = "kill"});
  }
}

TEST_P(Killed, InTheMiddleOfAWrite) {
  const DisturbedRuns runs(GetParam(), {kInForeground});
  const std::vector<Call> writes = named(without_repeats(runs.calls()), "write");
  for (const Call& call : some_of(writes, thorough() ? 60 : 1)) {
    expect_survives(runs, call, {.action = "half"});
  }
}

// A step is saved again where its evaluation was still to come: the second checkpoint takes the first one's
// place, and it may be the only one. Some file systems cannot exchange directories.
TEST(KilledWhileReplacing, WhetherOrNotDirectoriesCanBeExchanged) {
  const DisturbedRuns runs("causal", {kInForeground, "--train.save_total_limit=1", "--train.save_steps=4"});
  const std::vector<std::string> unevaluated{"--train.eval_steps=0"}, resume{"--resume"};
  runs.disturb("counted", {}, unevaluated);
  const Call after = calls_of_save(runs.calls("counted"), 8).front();
  ASSERT_EQ(runs.disturb("prepared", {.action = "kill", .at = after.number}, unevaluated).signal, SIGKILL);
  runs.copy("prepared", "again");
  for (const bool no_exchange : {false, true}) {
    ASSERT_EQ(runs.disturb("again", {.action = "", .no_exchange = no_exchange}, resume).code, 0);
    runs.expect_as_undisturbed("again");
    const std::vector<Call> save = without_repeats(calls_of_save(runs.calls("again"), 4));
    runs.remove("again");
    ASSERT_GE(save.size(), 40u);
    for (const Call& call : thorough() ? save : std::vector<Call>(save.end() - 7, save.end())) {
      SCOPED_TRACE(testing::Message() << "at call " << call.number << ": " << call.name << " " << call.paths);
      runs.copy("prepared", "again");
      EXPECT_EQ(runs.disturb("again", {"kill", call.number, false, no_exchange}, resume).signal, SIGKILL);
      EXPECT_TRUE(fs::exists(runs.run("again") / "latest") || no_exchange);
      EXPECT_EQ(runs.disturb("again", {.action = "", .no_exchange = no_exchange}, resume).code, 0);
      runs.expect_as_undisturbed("again");
      runs.remove("again");
    }
    runs.copy("prepared", "again");
  }
}

// Kills a run at random instants again and again, up to three times, and lets it finish then.
TEST_P(Killed, AtRandomInstants) {
  const int count = thorough() ? 50 : 1;
  const std::uint64_t seed = thorough() ? std::random_device()() : 1;
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  // Longer than the other runs: some time goes by while it tokenises, and more while it saves.
  const DisturbedRuns runs(GetParam(),
                           {"--train.max_steps=40", "--train.save_steps=2", "--data.train=[\"long.txt\"]"});
  const Clock::time_point begin = Clock::now();
  ASSERT_EQ(runs.train("timed").code, 0);
  const std::chrono::duration<double> whole = Clock::now() - begin;
  for (int run = 0; run < count; ++run) {
    const std::string name = "run" + std::to_string(run);
    for (std::uint64_t kills = 1 + random() % 3; kills > 0; --kills) {
      fs::create_directories(runs.place() / name);
      Process process(runs.place().path(), runs.arguments(name, {"--resume"}), runs.shimmed(name));
      std::this_thread::sleep_for(whole * std::uniform_real_distribution<>(0, 1.1)(random));
      process.send(SIGKILL);
      process.wait();
      runs.expect_checkpoint(name);
    }
    SCOPED_TRACE(name);
    runs.expect_recovers(name);
    runs.remove(name);
  }
}

}  // namespace
}  // namespace surprisal
