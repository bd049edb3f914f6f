#include "train/run_directory.h"

#include <fstream>
#include <set>
#include <stdexcept>

#include "core/file.h"
#include "core/json.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "train/line_log.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunDirectoryTest : public testing::Test {
 protected:
  void commit(std::int64_t step, const Retention& retention = {}) {
    run_.commit(step, [&](const fs::path& directory) { std::ofstream(directory / "weights") << step; });
    run_.publish(step, retention);
  }
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(path_))
      names.insert(entry.path().filename());
    return names;
  }
  std::string link(const char* name) const { return fs::read_symlink(path_ / name); }

  TemporaryDirectory parent_;
  fs::path path_ = parent_ / "runs/one";
  RunDirectory run_{path_};
};

TEST_F(RunDirectoryTest, NamesSortAsStepsDo) {
  EXPECT_EQ(checkpoint_name(100), "step-00000100");
  EXPECT_EQ(checkpoint_name(123456789), "step-123456789");
}

TEST_F(RunDirectoryTest, CommitRenamesWhatWasWrittenAndLinksToIt) {
  run_.open(false);
  EXPECT_FALSE(run_.latest());
  fs::path written;
  run_.commit(4, [&](const fs::path& directory) {
    written = directory;
    std::ofstream(directory / "weights") << "4";
  });
  run_.publish(4, {.best = {4}});
  EXPECT_NE(written, run_.checkpoint(4));
  EXPECT_FALSE(fs::exists(written));
  EXPECT_EQ(read_file(path_ / "step-00000004/weights"), "4");
  EXPECT_EQ(link("latest"), "step-00000004");  // relative, so that the directory can be moved
  EXPECT_EQ(link("best"), "step-00000004");
  EXPECT_EQ(names(), (std::set<std::string>{"step-00000004", "latest", "best"}));
  commit(8);
  EXPECT_EQ(link("latest"), "step-00000008");
  EXPECT_EQ(link("best"), "step-00000004");
  EXPECT_EQ(run_.latest(), path_ / "step-00000008");
}

TEST_F(RunDirectoryTest, AWriterThatThrowsLeavesNothing) {
  run_.open(false);
  commit(4);
  std::set<std::string> before = names();
  EXPECT_THROW(run_.commit(8,
                           [&](const fs::path& directory) {
                             std::ofstream(directory / "weights") << "half";
                             throw std::runtime_error("disk full");
                           }),
               std::runtime_error);
  EXPECT_EQ(names(), before);
  EXPECT_EQ(link("latest"), "step-00000004");
}

// A process that was killed leaves its temporary directory; the next one removes it and never takes it for a
// checkpoint.
TEST_F(RunDirectoryTest, WhatAKilledProcessLeftIsNoCheckpoint) {
  run_.open(false);
  commit(4);
  fs::create_directories(path_ / ".tmp-step-00000008");
  std::ofstream(path_ / ".tmp-step-00000008/weights") << "half";
  EXPECT_EQ(run_.latest(), path_ / "step-00000004");
  run_.open(true);
  EXPECT_FALSE(fs::exists(path_ / ".tmp-step-00000008"));
}

TEST_F(RunDirectoryTest, KilledBetweenTheRenameAndTheLink) {
  run_.open(false);
  commit(4);
  fs::remove(path_ / "latest");
  EXPECT_EQ(run_.latest(), path_ / "step-00000004");
}

TEST_F(RunDirectoryTest, TheSameStepAgainReplacesTheFirst) {
  run_.open(false);
  commit(4);
  run_.commit(4, [](const fs::path& directory) { std::ofstream(directory / "weights") << "again"; });
  EXPECT_EQ(read_file(path_ / "latest/weights"), "again");
}

TEST_F(RunDirectoryTest, RotationKeepsTheNewestTheBestAndMultiples) {
  run_.open(false);
  for (std::int64_t step = 1; step <= 6; ++step) commit(step, {.limit = 2, .best = {1}});
  EXPECT_EQ(names(),
            (std::set<std::string>{"step-00000001", "step-00000005", "step-00000006", "latest", "best"}));
  EXPECT_EQ(link("best"), "step-00000001");
  commit(7, {.limit = 2, .best = {7, 5}});
  EXPECT_EQ(names(),
            (std::set<std::string>{"step-00000005", "step-00000006", "step-00000007", "latest", "best"}));
  commit(8, {.limit = 1, .keep_steps = 3, .best = {7}});
  EXPECT_EQ(names(),
            (std::set<std::string>{"step-00000006", "step-00000007", "step-00000008", "latest", "best"}));
  commit(9, {.limit = 0});
  EXPECT_TRUE(fs::exists(path_ / "step-00000006"));
}

TEST_F(RunDirectoryTest, TheBestIsOneThatIsThere) {
  run_.open(false);
  commit(2, {.limit = 1, .best = {2}});
  // Step 4 was better, but could not be saved.
  for (std::int64_t step : {6, 8}) commit(step, {.limit = 1, .best = {4}});
  EXPECT_EQ(link("best"), "step-00000002");
  EXPECT_EQ(names(), (std::set<std::string>{"step-00000002", "step-00000008", "latest", "best"}));
  commit(10, {.limit = 1, .best = {4, 8}});
  EXPECT_EQ(link("best"), "step-00000008");
  EXPECT_EQ(names(), (std::set<std::string>{"step-00000008", "step-00000010", "latest", "best"}));
}

TEST_F(RunDirectoryTest, TheNewestThatIsWhole) {
  run_.open(false);
  std::vector<std::string> damaged;
  EXPECT_FALSE(run_.newest_whole(damaged));
  for (std::int64_t step : {2, 4, 6}) commit(step);
  EXPECT_EQ(run_.newest_whole(damaged), path_ / "step-00000006");
  EXPECT_TRUE(damaged.empty());
  fs::remove(path_ / "step-00000006/MANIFEST.json");
  std::ofstream(path_ / "step-00000004/weights") << "5";
  EXPECT_EQ(run_.newest_whole(damaged), path_ / "step-00000002");
  EXPECT_THAT(damaged, testing::ElementsAre(
                           HasSubstr("step-00000006/MANIFEST.json"),
                           HasSubstr("step-00000004/weights: a file's content is not what was saved")));
  EXPECT_EQ(names(), (std::set<std::string>{"step-00000002", "damaged-step-00000004", "damaged-step-00000006",
                                            "latest"}));
  fs::remove(path_ / "step-00000002/weights");
  EXPECT_ERROR(run_.newest_whole(damaged), data, HasSubstr("no checkpoint of the run is whole"));
  EXPECT_TRUE(fs::exists(path_ / "step-00000002"));
}

TEST_F(RunDirectoryTest, EveryDamagedCheckpointOfAStepIsKept) {
  run_.open(false);
  commit(2);
  for (const char* content : {"first", "second"}) {
    commit(4);
    std::ofstream(path_ / "step-00000004/weights") << content;
    std::vector<std::string> damaged;
    EXPECT_EQ(run_.newest_whole(damaged), path_ / "step-00000002");
  }
  EXPECT_EQ(read_file(path_ / "damaged-step-00000004/weights"), "first");
  EXPECT_EQ(read_file(path_ / "damaged-step-00000004-2/weights"), "second");
}

TEST_F(RunDirectoryTest, LeavesTheFilesOfOthersAlone) {
  run_.open(false);
  fs::create_directories(path_ / "step-notes");
  std::ofstream(path_ / "step-00000001.txt") << "mine";
  for (std::int64_t step = 2; step <= 5; ++step) commit(step, {.limit = 1});
  EXPECT_EQ(names(), (std::set<std::string>{"latest", "step-00000001.txt", "step-00000005", "step-notes"}));
}

TEST_F(RunDirectoryTest, AnotherRunIsNotOverwritten) {
  run_.open(false);
  EXPECT_FALSE(run_.holds_run());
  EXPECT_NO_THROW(run_.open(false));  // still empty
  run_.write("config.toml", "");
  EXPECT_TRUE(run_.holds_run());
  EXPECT_ERROR(run_.open(false), usage,
               AllOf(HasSubstr(path_.string()), HasSubstr("holds another run"), HasSubstr("--resume")));
  EXPECT_NO_THROW(run_.open(true));
  fs::remove(path_ / "config.toml");
  commit(4);
  EXPECT_ERROR(run_.check(false), usage, HasSubstr("holds another run"));
}

TEST_F(RunDirectoryTest, AFileInItsPlace) {
  fs::create_directories(path_.parent_path());
  std::ofstream(path_.string()) << "a file";
  EXPECT_ERROR(run_.open(false), io, HasSubstr(path_.string()));
}

TEST_F(RunDirectoryTest, CutsBackToTheStepOfTheCheckpoint) {
  run_.open(false);
  LineLog metrics(path_ / "metrics.jsonl"), samples(path_ / "samples.jsonl");
  for (std::int64_t step = 0; step <= 6; ++step) {
    EXPECT_FALSE(metrics.append(to_line({{"step", step}, {"loss", 0.5}})));
  }
  samples.append(to_line({{"step", 4}, {"text", "kept"}}));
  samples.append(to_line({{"step", 6}, {"text", "cut"}}));
  std::ofstream(path_ / "metrics.jsonl", std::ios::app) << R"({"step":3,"lo)";  // killed while it wrote
  run_.cut_back(4);
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"),
            "{\"step\":0,\"loss\":0.5}\n{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":0.5}\n"
            "{\"step\":3,\"loss\":0.5}\n{\"step\":4,\"loss\":0.5}\n");
  EXPECT_EQ(read_file(path_ / "samples.jsonl"), "{\"step\":4,\"text\":\"kept\"}\n");
}

TEST_F(RunDirectoryTest, CutsBackLinesWhoseStepIsNoNumberOfSteps) {
  run_.open(false);
  for (const char* step : {"\"4\"", "1e300", "4.5", "-1", "[4]", "18446744073709551615", "4"}) {
    LineLog(path_ / "metrics.jsonl").append(std::string("{\"step\":") + step + "}");
  }
  LineLog(path_ / "metrics.jsonl").append("[4]");
  run_.cut_back(4);
  EXPECT_EQ(read_file(path_ / "metrics.jsonl"), "{\"step\":4}\n");
}

TEST_F(RunDirectoryTest, ARunWithoutACheckpointLeavesNoMetricsToTheNext) {
  run_.open(false);
  run_.write("config.toml", "");
  LineLog(path_ / "metrics.jsonl").append("{}");
  run_.open(true);
  EXPECT_FALSE(fs::exists(path_ / "metrics.jsonl"));
}

}  // namespace
}  // namespace surprisal
