// A checkpoint that is not what was saved is found out, named, and not used.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "tests/crash/disturbed_run.h"
#include "train/run_directory.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

void write(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

class Damaged : public testing::Test {
 protected:
  Damaged() { runs_.copy("whole", "run"); }

  std::vector<std::string> files() const {
    std::vector<std::string> files;
    for (const fs::path& path : list_tree(newest_)) {
      if (fs::is_regular_file(path)) files.push_back(path.lexically_relative(newest_));
    }
    return files;
  }
  // Damages one file of the newest checkpoint, and expects that it is the older one that is taken.
  void expect_found(const std::string& file, const std::string& content, const std::string& what) {
    SCOPED_TRACE(file + " " + what);
    const std::string before = read_file(newest_ / file);
    write(newest_ / file, content);
    std::vector<std::string> damaged;
    EXPECT_EQ(directory_.newest_whole(damaged), directory_.checkpoint(9));
    EXPECT_THAT(damaged, ElementsAre(HasSubstr(damaged_name(file))));
    const fs::path aside = directory_.path() / ("damaged-" + newest_.filename().string());
    if (fs::exists(aside)) fs::rename(aside, newest_);
    write(newest_ / file, before);
  }
  // A manifest that is JSON but tells something else accuses a file that it names otherwise.
  static std::string damaged_name(const std::string& file) {
    return file == "MANIFEST.json" ? "step-00000012/" : "step-00000012/" + file;
  }

  const DisturbedRuns runs_{"mlm + nsp"};
  const RunDirectory directory_{runs_.run("run")};
  const fs::path newest_ = directory_.checkpoint(12);
};

TEST_F(Damaged, AtAnyByteOfAnyFile) {
  const std::size_t places = thorough() ? 1000 : 40;
  ASSERT_EQ(files().size(), 7u);
  for (const std::string& file : files()) {
    const std::string whole = read_file(newest_ / file);
    const std::size_t stride = std::max<std::size_t>(1, whole.size() / places);
    for (std::size_t at = 0; at < whole.size(); at += stride) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << at % 8);
      expect_found(file, flipped, "flipped at " + std::to_string(at));
      if (file == "MANIFEST.json" && at + 1 == whole.size()) break;  // its last newline tells nothing
      expect_found(file, whole.substr(0, at), "cut at " + std::to_string(at));
    }
    expect_found(file, whole + "{", "longer");
  }
}

TEST_F(Damaged, IsSaidLoudlyAndTheOneBeforeIsGoneOnFrom) {
  for (const std::string& file : files()) {
    std::string content = read_file(newest_ / file);
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 4);
    write(newest_ / file, content);
    Outcome outcome = runs_.disturb("run", {}, {"--resume"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("WARNING: a checkpoint is damaged and is not used: "),
                                   HasSubstr(damaged_name(file)), HasSubstr("going on from"),
                                   HasSubstr("run/step-00000009\n")));
    EXPECT_TRUE(fs::exists(directory_.path() / "damaged-step-00000012"));
    fs::remove_all(directory_.path() / "damaged-step-00000012");
    runs_.expect_as_undisturbed("run");
  }
  fs::remove(newest_ / "model.safetensors");
  fs::remove(directory_.checkpoint(9) / "MANIFEST.json");
  EXPECT_FAILS(runs_.disturb("run", {}, {"--resume"}), 3,
               AllOf(HasSubstr("no checkpoint of the run is whole"), HasSubstr("model.safetensors")));
}

}  // namespace
}  // namespace surprisal
