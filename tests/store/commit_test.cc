#include "store/commit.h"

#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json.h"
#include "store/manifest.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class Commit : public testing::Test {
 protected:
  void commit(const std::string& text) {
    commit_directory(directory_ / "step", [&](const fs::path& temporary) {
      write_text(temporary / "weights", text);
      fs::create_directory(temporary / "state");
      write_text(temporary / "state" / "run.json", "{}");
    });
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const fs::path& path : list_tree(directory_.path())) {
      names.push_back(path.lexically_relative(directory_.path()));
    }
    return names;
  }

  TemporaryDirectory directory_;
};

TEST_F(Commit, ListsWhatItWrote) {
  commit("abc");
  EXPECT_THAT(names(),
              ElementsAre("step", "step/MANIFEST.json", "step/state", "step/state/run.json", "step/weights"));
  std::vector<ManifestEntry> entries = read_manifest(directory_ / "step");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].file, "state/run.json");
  // XXH3-128 of "abc", from the published test of the algorithm's reference implementation (xxhsum -H2).
  EXPECT_EQ(entries[1], (ManifestEntry{"weights", 3, "06b05ab6733a618578af5f94892f3950"}));
  EXPECT_NO_THROW(verify_manifest(directory_ / "step"));
}

TEST_F(Commit, ReplacesWhatWasThere) {
  commit("old");
  commit("new");
  EXPECT_EQ(read_file(directory_ / "step" / "weights"), "new");
  EXPECT_EQ(names().size(), 5u);
}

TEST_F(Commit, ChangesNothingWhereWritingFails) {
  commit("old");
  EXPECT_THROW(commit_directory(directory_ / "step",
                                [&](const fs::path& temporary) {
                                  write_text(temporary / "weights", "half");
                                  throw Error(ErrorKind::io, {.what = "no space left on device"});
                                }),
               Error);
  EXPECT_EQ(read_file(directory_ / "step" / "weights"), "old");
  EXPECT_EQ(names().size(), 5u);
}

TEST_F(Commit, RemovesLeftoversAndNothingElse) {
  commit("old");
  fs::create_directories(directory_ / ".tmp-step-2" / "state");
  fs::create_directories(directory_ / ".trash-step-1");
  remove_leftovers(directory_.path());
  EXPECT_EQ(names().size(), 5u);
  remove_committed(directory_ / "step");
  EXPECT_THAT(names(), ElementsAre());
}

// Of a replaced file and a replaced link, and of a directory that lost its name for a moment.
TEST_F(Commit, LeftoversOfReplacementsGoOrGetTheirNameBack) {
  commit("old");
  write_text(directory_ / ".config.toml.12.0.tmp", "half");
  fs::create_symlink("nowhere", directory_ / ".latest.12.1.tmp");
  fs::create_directory(directory_ / ".tmp-step");
  remove_leftovers(directory_.path());
  EXPECT_EQ(names().size(), 5u);
  fs::rename(directory_ / "step", directory_ / ".step.12.2.tmp");
  remove_leftovers(directory_.path());
  EXPECT_NO_THROW(verify_manifest(directory_ / "step"));
  fs::copy(directory_ / "step", directory_ / ".step.12.3.tmp", fs::copy_options::recursive);
  remove_leftovers(directory_.path());
  EXPECT_EQ(names().size(), 5u);
}

// Every byte of every file, and every length of it.
TEST_F(Commit, EveryFlippedBitAndEveryTruncationIsFound) {
  commit("some weights");
  const fs::path step = directory_ / "step";
  for (const char* name : {"weights", "state/run.json", kManifestFile}) {
    // A cut-off last newline takes nothing from what the manifest says.
    const std::string whole = name == std::string(kManifestFile)
                                  ? OrderedJson::parse(read_file(step / name)).dump()
                                  : read_file(step / name);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      write_text(step / name, whole.substr(0, at));
      EXPECT_THROW(verify_manifest(step), Error) << name << " cut at " << at;
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 1);
      write_text(step / name, flipped);
      EXPECT_THROW(verify_manifest(step), Error) << name << " flipped at " << at;
    }
    write_text(step / name, whole);
  }
  EXPECT_NO_THROW(verify_manifest(step));
}

TEST_F(Commit, SaysWhatIsWrong) {
  commit("abc");
  const fs::path step = directory_ / "step";
  write_text(step / "weights", "abd");
  EXPECT_ERROR(verify_manifest(step), data,
               HasSubstr("step/weights: a file's content is not what was saved: found XXH3 "));
  write_text(step / "weights", "ab");
  EXPECT_ERROR(
      verify_manifest(step), data,
      HasSubstr("step/weights: a file is not as long as when it was saved: found 2 bytes, expected 3 bytes"));
  fs::remove(step / "weights");
  EXPECT_ERROR(verify_manifest(step), io, HasSubstr("step/weights: cannot read: No such file or directory"));
  write_text(step / kManifestFile,
             R"({"format": 1, "files": [{"file": "../x", "size": 1, "xxh3_128": "0"}]})");
  EXPECT_ERROR(verify_manifest(step), data, HasSubstr("impossible entry of a manifest"));
  fs::remove(step / kManifestFile);
  EXPECT_ERROR(verify_manifest(step), io, HasSubstr("MANIFEST.json"));
}

}  // namespace
}  // namespace surprisal
