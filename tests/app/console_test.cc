// Numbers as they are shown to people.
#include "app/console.h"

#include <gtest/gtest.h>

namespace surprisal {
namespace {

TEST(HumanNumbers, HaveThreeDigitsAndNoExponent) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(99.94 * 1024), "99.9 KiB");
  EXPECT_EQ(human_bytes(99.96 * 1024), "100 KiB");
  EXPECT_EQ(human_bytes(1000 * 1024), "1000 KiB");
  EXPECT_EQ(human_bytes(1023.4 * 1024), "1023 KiB");
  EXPECT_EQ(human_bytes(1024.0 * 1024), "1 MiB");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(81312), "81.3 k");
  EXPECT_EQ(human_count(999499), "999 k");
  EXPECT_EQ(human_count(128.7e9), "129 G");
}

}  // namespace
}  // namespace surprisal
