#include "core/text_width.h"

#include <gtest/gtest.h>

namespace surprisal {
namespace {

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width(""), 0);
  EXPECT_EQ(display_width("token"), 5);
  EXPECT_EQ(display_width("naïve"), 5);
  EXPECT_EQ(display_width("nai\xCC\x88ve"), 5);  // combining diaeresis
  EXPECT_EQ(display_width("语言模型"), 8);
  EXPECT_EQ(display_width("😀"), 2);
  EXPECT_EQ(display_width("ｱ"), 1);  // halfwidth katakana
}

TEST(DisplayWidth, ABrokenByteTakesOneColumn) {
  EXPECT_EQ(display_width("a\xFF\xE8\xAF"), 4);
}

TEST(PadTo, FillsToTheColumn) {
  EXPECT_EQ(pad_to("abc", 5), "abc  ");
  EXPECT_EQ(pad_to("语", 5), "语   ");
  EXPECT_EQ(pad_to("abc", 3), "abc");
}

TEST(PadTo, CutsWithAnEllipsisToTheColumn) {
  EXPECT_EQ(pad_to("abcdef", 4), "abc…");
  EXPECT_EQ(pad_to("语言模型", 6), "语言… ");  // a wide character does not fit half
  EXPECT_EQ(pad_to("语言模型", 5), "语言…");
  for (int columns = 1; columns < 10; ++columns)
    EXPECT_EQ(display_width(pad_to("a语b言c模型", columns)), columns);
}

TEST(PadTo, OfNoColumnsIsNothing) {
  EXPECT_EQ(pad_to("abc", 0), "");
  EXPECT_EQ(pad_to("", 0), "");
}

}  // namespace
}  // namespace surprisal
