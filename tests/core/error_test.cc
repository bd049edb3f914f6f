#include "surprisal/error.h"

#include <gtest/gtest.h>

namespace surprisal {
namespace {

std::string message(ErrorParts parts) {
  return Error(ErrorKind::data, std::move(parts)).what();
}

TEST(ErrorMessage, HasItsPartsInOneLine) {
  EXPECT_EQ(message({.what = "w"}), "w");
  EXPECT_EQ(message({.what = "w", .where = "f", .found = "x", .expected = "y", .fix = "z"}),
            "f: w: found x, expected y; z");
}

TEST(ErrorMessage, NeverSteersATerminal) {
  EXPECT_EQ(message({.what = "a\x1b[2J\nb", .where = std::string("\0\x7f", 2)}),
            "\\u0000\\u007f: a\\u001b[2J\\u000ab");
  EXPECT_EQ(message({.what = "\u0085\u2028\u009b \u00e9\u4e2d"}), "\\u0085\\u2028\\u009b \u00e9\u4e2d");
}

TEST(ErrorMessage, IsUtf8) {
  EXPECT_EQ(message({.what = "a\xff\xe4\xbd z", .found = "\xc0\x80\xed\xa0\x80"}),
            "a\uFFFD\uFFFD\uFFFD z: found \uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(ErrorMessage, IsCutBetweenCharacters) {
  std::string text = "x";
  while (text.size() < 100'000) text += "\u4e2d";
  EXPECT_EQ(message({.what = text}), text.substr(0, 65536) + "...");
  EXPECT_EQ(message({.what = std::string(65536, 'x')}), std::string(65536, 'x'));
}

TEST(ErrorMessage, IsWhatItsPartsSay) {
  const Error error(ErrorKind::io, {.what = "a\tb", .where = "\n"});
  EXPECT_EQ(error.parts().what, "a\\u0009b");
  EXPECT_EQ(error.parts().where, "\\u000a");
}

}  // namespace
}  // namespace surprisal
