#include "core/file.h"

#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class File : public testing::Test {
 protected:
  int entries() const {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(directory_.path())) ++count;
    return count;
  }
  TemporaryDirectory directory_;
};

TEST_F(File, ALockIsHeldByOneAndGivenBack) {
  {
    FileLock lock(directory_ / "lock");
    EXPECT_ERROR(FileLock(directory_ / "lock"), usage, HasSubstr("another process is at work here"));
  }
  FileLock again(directory_ / "lock");
}

TEST_F(File, IsReadAndMapped) {
  std::string content("a\0b\n\xFF", 5);
  write_file_atomically(directory_ / "a", content);
  EXPECT_EQ(read_file(directory_ / "a"), content);
  MappedFile mapped(directory_ / "a");
  EXPECT_EQ(mapped.text(), content);
  EXPECT_EQ(mapped.size(), 5u);
  EXPECT_EQ(mapped.bytes()[4], std::byte{0xFF});
  EXPECT_EQ(mapped.path(), directory_ / "a");
}

TEST_F(File, LargerThanOneBufferIsReadWhole) {
  std::string content;
  for (int i = 0; i < 50'000; ++i) content += std::to_string(i);
  write_file_atomically(directory_ / "a", content);
  EXPECT_EQ(read_file(directory_ / "a"), content);
  EXPECT_EQ(MappedFile(directory_ / "a").text(), content);
}

TEST_F(File, EmptyMapsToAnEmptySpan) {
  write_file_atomically(directory_ / "empty", "");
  MappedFile mapped(directory_ / "empty");
  EXPECT_TRUE(mapped.bytes().empty());
  EXPECT_EQ(mapped.text(), "");
  EXPECT_EQ(read_file(directory_ / "empty"), "");
}

TEST_F(File, MissingIsAnError) {
  std::string message = (directory_ / "none").string() + ": cannot open: No such file or directory";
  EXPECT_ERROR(MappedFile(directory_ / "none"), io, message);
  EXPECT_ERROR(read_file(directory_ / "none"), io, message);
}

TEST_F(File, DirectoryIsAnError) {
  std::string message = directory_.path().string() + ": cannot read: is a directory: expected a file";
  EXPECT_ERROR(MappedFile(directory_.path()), io, message);
  EXPECT_ERROR(read_file(directory_.path()), io, message);
}

TEST_F(File, OfAnUnknownSizeIsReadToItsEnd) {
  EXPECT_THAT(read_file("/proc/self/status"), HasSubstr("RssAnon"));
  ASSERT_EQ(mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  std::thread writer([&] { FileWriter(directory_ / "pipe").write("through a pipe"); });
  MappedFile mapped(directory_ / "pipe");
  writer.join();
  EXPECT_EQ(mapped.text(), "through a pipe");
  EXPECT_TRUE(fs::exists(directory_ / "pipe"));  // a writer that is not committed removes no pipe or device
}

TEST_F(File, MappingMoves) {
  write_file_atomically(directory_ / "a", "first");
  write_file_atomically(directory_ / "b", "second");
  MappedFile a(directory_ / "a");
  MappedFile moved(std::move(a));
  EXPECT_EQ(moved.text(), "first");
  moved = MappedFile(directory_ / "b");
  EXPECT_EQ(moved.text(), "second");
}

TEST_F(File, WriterCommitsWhatItWrote) {
  {
    FileWriter writer(directory_ / "a");
    writer.write("one ");
    writer.write(std::as_bytes(std::span("two", 3)));
    EXPECT_EQ(writer.written(), 7u);
    writer.commit();
  }
  EXPECT_EQ(read_file(directory_ / "a"), "one two");
}

TEST_F(File, WriterWithoutCommitLeavesNothing) {
  { FileWriter(directory_ / "a").write("half"); }
  EXPECT_EQ(entries(), 0);
}

TEST_F(File, WriterNamesWhatItCannotCreate) {
  EXPECT_ERROR(FileWriter(directory_ / "none" / "a"), io,
               (directory_ / "none" / "a").string() + ": cannot create: No such file or directory");
}

TEST_F(File, FullDiskIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  EXPECT_ERROR(FileWriter("/dev/full").write("x"), io, "/dev/full: cannot write: No space left on device");
  EXPECT_TRUE(fs::exists("/dev/full"));
}

TEST_F(File, AtomicWriteReplaces) {
  write_file_atomically(directory_ / "a", "old, and longer");
  write_file_atomically(directory_ / "a", "new");
  EXPECT_EQ(read_file(directory_ / "a"), "new");
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, AtomicWriteThatFailsLeavesTheOld) {
  fs::path in_the_way = directory_ / "a";
  fs::create_directory(in_the_way);
  write_file_atomically(in_the_way / "old", "old");
  EXPECT_ERROR(write_file_atomically(in_the_way, "new"), io,
               HasSubstr(in_the_way.string() + ": cannot replace: "));
  EXPECT_EQ(read_file(in_the_way / "old"), "old");
  EXPECT_EQ(entries(), 1);  // and no temporary file
}

TEST_F(File, SymbolicLinkIsReplaced) {
  fs::create_directory(directory_ / "step-00000001");
  fs::create_directory(directory_ / "step-00000002");
  write_file_atomically(directory_ / "step-00000002" / "a", "second");
  replace_symlink(directory_ / "latest", "step-00000001");
  EXPECT_EQ(fs::read_symlink(directory_ / "latest"), "step-00000001");
  replace_symlink(directory_ / "latest", "step-00000002");
  EXPECT_EQ(fs::read_symlink(directory_ / "latest"), "step-00000002");
  EXPECT_EQ(read_file(directory_ / "latest" / "a"), "second");
  EXPECT_EQ(entries(), 3);
}

TEST_F(File, SymbolicLinkReplacesNoDirectory) {
  fs::create_directory(directory_ / "latest");
  EXPECT_ERROR(replace_symlink(directory_ / "latest", "step-00000001"), io, HasSubstr("cannot replace"));
  EXPECT_TRUE(fs::is_directory(fs::symlink_status(directory_ / "latest")));
  EXPECT_EQ(entries(), 1);
}

TEST_F(File, DirectoriesAreCreatedWithTheirParents) {
  make_directories(directory_ / "a/b/c");
  make_directories(directory_ / "a/b/c");
  EXPECT_TRUE(fs::is_directory(directory_ / "a/b/c"));
  sync_directory(directory_ / "a");
}

TEST_F(File, DirectoryUnderAFileIsAnError) {
  write_file_atomically(directory_ / "a", "");
  EXPECT_ERROR(make_directories(directory_ / "a/b"), io,
               (directory_ / "a/b").string() + ": cannot create the directory: Not a directory");
}

TEST(TemporaryNames, TellWhatTheyStandFor) {
  EXPECT_EQ(target_of_temporary(".latest.123.0.tmp"), "latest");
  EXPECT_EQ(target_of_temporary(".config.toml.4.17.tmp"), "config.toml");
  EXPECT_EQ(target_of_temporary(".a.1.2.3.4.tmp"), "a.1.2");
  for (const char* other : {"", ".", ".tmp", "..tmp", ".1.tmp", ".1.2.tmp", ".a.tmp", ".a.1.tmp",
                            ".a.1.x.tmp", ".a..1.tmp", "a.1.2.tmp", ".a.1.2.tmp~", ".surprisal-cache"}) {
    EXPECT_EQ(target_of_temporary(other), "") << other;
  }
}

}  // namespace
}  // namespace surprisal
