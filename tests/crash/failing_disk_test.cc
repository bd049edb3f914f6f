// A disk that is full or failing: the old checkpoint stays, the run warns and trains on, and only a last save
// that fails ends it.
#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "tests/crash/disturbed_run.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kInForeground = "--train.save_in_background=false";

class FailingDisk : public testing::Test {
 protected:
  // The calls of a save that are tried: of each file's writes the first and the last, or fewer.
  std::vector<Call> calls_of(int step, std::size_t most) const {
    std::vector<Call> calls = without_repeats(calls_of_save(runs_.calls(), step));
    EXPECT_GE(calls.size(), 40u);
    return thorough() || calls.size() <= most ? calls : some_of(calls, most);
  }
  void expect_no_temporaries(const std::string& name) const {
    for (const fs::path& path : list_tree(runs_.place() / name)) {
      if (path.filename() == ".surprisal-cache") continue;
      EXPECT_FALSE(path.filename().string().starts_with('.')) << path;
    }
  }
  std::string trace(const Disturbance& disturbance, const Call& call) const {
    return disturbance.action + " at call " + std::to_string(call.number) + ": " + call.name + " " +
           call.paths;
  }
  // Removals of what is no longer needed are tried again, and not spoken of.
  static bool is_told(const Call& call) {
    return call.name != "unlink" && call.name != "rmdir" && call.paths.find(".trash-") == std::string::npos;
  }

  const DisturbedRuns runs_{"causal", {kInForeground}};
};

// Once, at step 9: the next save is as if nothing had been.
TEST_F(FailingDisk, OnceInTheMiddleIsWarnedOfAndTrainedOn) {
  for (const char* action : {"EIO", "ENOSPC", "EDQUOT"}) {
    for (const Call& call : calls_of(9, action == std::string("EIO") ? 18 : 2)) {
      const Disturbance disturbance{.action = action, .at = call.number};
      SCOPED_TRACE(trace(disturbance, call));
      Outcome outcome = runs_.disturb("run", disturbance);
      EXPECT_EQ(outcome.code, 0) << outcome.err;
      if (is_told(call)) {
        EXPECT_THAT(outcome.err, HasSubstr("WARNING: "));
        EXPECT_THAT(outcome.err, HasSubstr(action == std::string("EIO")      ? "Input/output error"
                                           : action == std::string("ENOSPC") ? "No space left on device"
                                                                             : "Disk quota exceeded"));
      }
      EXPECT_THAT(outcome.err,
                  AnyOf(HasSubstr("and the last checkpoint, "), HasSubstr("run/step-00000009\n")));
      runs_.expect_ends_alike("run");
      expect_no_temporaries("run");
      runs_.remove("run");
    }
  }
}

// A write that takes half of the bytes is no error.
TEST_F(FailingDisk, AShortWriteIsGoneOnWith) {
  std::vector<Call> writes;
  for (const Call& call : without_repeats(runs_.calls())) {
    if (call.name == "write") writes.push_back(call);
  }
  for (const Call& call : some_of(writes, thorough() ? 60 : 4)) {
    const Disturbance disturbance{.action = "short", .at = call.number};
    SCOPED_TRACE(trace(disturbance, call));
    Outcome outcome = runs_.disturb("run", disturbance);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, Not(HasSubstr("WARNING")));
    runs_.expect_as_undisturbed("run");
    runs_.remove("run");
  }
  Outcome outcome = runs_.disturb("run", {.action = "short", .at = 1, .always = true});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  runs_.expect_as_undisturbed("run");
}

// From a call of the last save on: the checkpoint before is as it was, and once the disk is well again the
// run is brought to its end from there.
TEST_F(FailingDisk, AtTheLastSaveEndsTheRunAndResumingCompletesIt) {
  for (const Call& call : calls_of(12, 8)) {
    if (!is_told(call)) continue;
    const Disturbance disturbance{.action = "ENOSPC", .at = call.number, .always = true};
    SCOPED_TRACE(trace(disturbance, call));
    Outcome outcome = runs_.disturb("run", disturbance);
    EXPECT_EQ(outcome.code, 6) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("surprisal: error: "), HasSubstr("No space left on device")));
    EXPECT_TRUE(fs::exists(runs_.run("run") / "latest/MANIFEST.json"));
    runs_.expect_recovers("run");
    runs_.remove("run");
  }
}

// Once, too: there is no next save that would make up for it.
TEST_F(FailingDisk, OnceAtTheLastSaveEndsTheRun) {
  for (const Call& call : calls_of(12, 5)) {
    if (!is_told(call)) continue;
    const Disturbance disturbance{.action = "EIO", .at = call.number};
    SCOPED_TRACE(trace(disturbance, call));
    Outcome outcome = runs_.disturb("run", disturbance);
    EXPECT_EQ(outcome.code, 6) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("surprisal: error: "), HasSubstr("Input/output error"),
                                   Not(HasSubstr("WARNING"))));
    EXPECT_FALSE(fs::exists(runs_.run("run") / "summary.json"));
    expect_no_temporaries("run");
    runs_.expect_recovers("run");
    runs_.remove("run");
  }
}

// From the middle of the run on, and every error.
TEST_F(FailingDisk, ForTheRestOfTheRunOneWarningASaveAndExitCode6) {
  for (const char* action : {"EIO", "ENOSPC", "EDQUOT"}) {
    const Call call = some_of(calls_of_save(runs_.calls(), 6), 1).front();
    Outcome outcome = runs_.disturb("run", {.action = action, .at = call.number, .always = true});
    EXPECT_EQ(outcome.code, 6) << outcome.err;
    for (const char* step : {"6", "8", "9"}) {
      EXPECT_THAT(outcome.err, HasSubstr("WARNING: step " + std::string(step) + " was not saved: "));
    }
    EXPECT_EQ(fs::read_symlink(runs_.run("run") / "latest"), "step-00000004");
    runs_.expect_recovers("run");
    runs_.remove("run");
  }
}

// Before the first step there is nothing to lose: one clear error.
TEST_F(FailingDisk, BeforeTheFirstStepIsOneError) {
  const std::vector<Call> calls = runs_.calls();
  auto first_metrics = std::find_if(calls.begin(), calls.end(), [](const Call& call) {
    return call.name == "write" && call.paths.ends_with("metrics.jsonl");
  });
  std::vector<Call> before;
  for (const Call& call : std::vector<Call>(calls.begin(), first_metrics)) {
    if (call.name != "unlink" && call.name != "rmdir") before.push_back(call);
  }
  ASSERT_GE(before.size(), 20u);
  for (const Call& call : thorough() ? before : some_of(before, 6)) {
    const Disturbance disturbance{.action = "EIO", .at = call.number};
    SCOPED_TRACE(trace(disturbance, call));
    Outcome outcome = runs_.disturb("run", disturbance);
    EXPECT_EQ(outcome.code, 6) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("surprisal: error: "), HasSubstr("Input/output error"),
                                   Not(HasSubstr("step 1/"))));
    runs_.expect_recovers("run");
    runs_.remove("run");
  }
}

// Lines of the log that cannot be written wait.
TEST_F(FailingDisk, WhereOnlyTheLogFails) {
  std::vector<Call> lines;
  for (const Call& call : runs_.calls()) {
    if (call.name == "write" && call.paths.ends_with("metrics.jsonl")) lines.push_back(call);
  }
  for (const Call& call : some_of(lines, thorough() ? lines.size() : 2)) {
    Outcome outcome = runs_.disturb("run", {.action = "ENOSPC", .at = call.number});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("the lines are kept and written when they can be"));
    runs_.expect_as_undisturbed("run");
    runs_.remove("run");
  }
}

// Real file systems, which only a namespace of its own may mount.
class MountedDisk : public FailingDisk {
 protected:
  void SetUp() override {
    fs::create_directories(runs_.place() / "disk");
    if (shell("mount -t tmpfs none disk") != 0) {
      GTEST_SKIP() << "no file system can be mounted here, not even by unshare -rm: " << said();
    }
  }
  // In the place's directory, within a namespace: what is mounted is gone afterwards.
  int shell(const std::string& script) const {
    std::ofstream(runs_.place() / "script") << "set -e\ncd '" << runs_.place().path().string() << "'\n"
                                            << script;
    const std::string file = (runs_.place() / "script").string();
    const int status = std::system(("unshare -rm sh '" + file + "' >'" + file + ".out' 2>&1").c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string said() const { return read_file(runs_.place() / "script.out"); }
  std::string train(const std::string& more = "") const {
    std::string command = "OMP_WAIT_POLICY=passive '" SURPRISAL_PROGRAM "'";
    for (const std::string& argument : runs_.arguments("disk", {"--data.cache_directory", "cache"})) {
      command += " '" + argument + "'";
    }
    return command + " " + more;
  }
};

// No room for a checkpoint, and no room for its files; then there is.
TEST_F(MountedDisk, ThatIsFullKeepsWhatWasSavedAndGoesOnOnceItHasRoom) {
  for (const char* limit : {"size=560k", "nr_inodes=40"}) {
    SCOPED_TRACE(limit);
    const std::string all = "--train.save_total_limit=0";
    EXPECT_EQ(shell("mount -t tmpfs -o " + std::string(limit) + " none disk\n" + train(all) +
                    " || code=$?\ncp -a disk full\nmount -o remount,size=8m,nr_inodes=1000 disk\n" +
                    train(all + " --resume") + "\ncp -a disk/. roomy\nexit $code"),
              6)
        << said();
    EXPECT_THAT(said(), AllOf(HasSubstr("WARNING: step 9 was not saved: "), HasSubstr("surprisal: error: "),
                              HasSubstr("going on from"), Not(HasSubstr("damaged"))));
    EXPECT_THAT(said(),
                AnyOf(HasSubstr("there is no space for a checkpoint"), HasSubstr("No space left on device")));
    runs_.expect_checkpoint("full");
    expect_no_temporaries("full");
    EXPECT_TRUE(fs::exists(runs_.run("full") / "latest"));
    runs_.expect_ends_alike("roomy");
    runs_.remove("full");
    runs_.remove("roomy");
  }
}

TEST_F(MountedDisk, ThatCannotBeWrittenIsOneErrorBeforeTheFirstStep) {
  for (const std::string& before : {std::string("mkdir disk/run"), train()}) {
    EXPECT_EQ(shell("mount -t tmpfs none disk\n" + before +
                    " 2>&1\nmount -o remount,ro disk\necho now >&2\n" + train("--resume")),
              6)
        << said();
    const std::string error = said().substr(said().find("now\n") + 4);
    EXPECT_THAT(error, AllOf(testing::StartsWith("surprisal: error: "), HasSubstr("disk/run/run.lock"),
                             HasSubstr("Read-only file system")));
    EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 1) << error;
  }
}

TEST_F(FailingDisk, ADirectoryWithoutPermissionIsOneError) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  fs::create_directories(runs_.run("run"));
  fs::permissions(runs_.run("run"), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_FAILS(runs_.train("run"), 6, AllOf(HasSubstr("run.lock"), HasSubstr("Permission denied")));
  fs::permissions(runs_.run("run"), fs::perms::owner_all);
}

}  // namespace
}  // namespace surprisal
