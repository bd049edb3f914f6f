#include "train/line_log.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

TEST(LineLog, AppendsToWhatIsThere) {
  TemporaryDirectory directory;
  for (const char* line : {"one", "two"}) {
    LineLog log(directory / "log");
    EXPECT_FALSE(log.append(line));
    log.finish();
  }
  EXPECT_EQ(read_file(directory / "log"), "one\ntwo\n");
}

// /dev/full refuses every write with "no space left on device".
TEST(LineLog, SaysOnceThatLinesWaitAndFailsAtTheEnd) {
  LineLog log("/dev/full");
  std::optional<Error> first = log.append("one");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kind(), ErrorKind::io);
  EXPECT_THAT(first->what(), HasSubstr("/dev/full: cannot write: No space left on device"));
  EXPECT_FALSE(log.append("two"));
  EXPECT_ERROR(log.finish(), io, HasSubstr("/dev/full"));
}

TEST(LineLog, WhereThereIsNoDirectory) {
  EXPECT_ERROR(LineLog("/nowhere/log"), io, HasSubstr("/nowhere/log"));
}

}  // namespace
}  // namespace surprisal
