#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"
#include "text/corpus/invalid_text.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

#define R "\xEF\xBF\xBD"

std::string replaced(std::string text, std::uint64_t count) {
  EXPECT_EQ(replace_invalid_utf8(text), count) << text;
  return text;
}

// What Python 3's bytes.decode(errors="replace") gives; the fourth is Unicode's own example (table 3-8).
TEST(InvalidText, MaximalSubpartsBecomeOneReplacementEach) {
  EXPECT_EQ(replaced("good 你😀", 0), "good 你😀");
  EXPECT_EQ(replaced("a\x80z", 1), "a" R "z");
  EXPECT_EQ(replaced("\xE4\xBD", 1), R);
  EXPECT_EQ(replaced("a\xF1\x80\x80\xE1\x80\xC2"
                     "b\x80"
                     "c\x80\xBF"
                     "d",
                     6),
            "a" R R R "b" R "c" R R "d");
  EXPECT_EQ(replaced("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                     "A",
                     8),
            R R R R R R R R "A");                                   // overlong
  EXPECT_EQ(replaced("\xED\xA0\x80\xED\xBF\xBF", 6), R R R R R R);  // surrogates
  EXPECT_EQ(replaced("\xF4\x91\x92\x93\xFF", 5), R R R R R);        // beyond U+10FFFF
  EXPECT_EQ(replaced("\xF4\x8F\xBF", 1), R);
  EXPECT_EQ(replaced("\xF0\x90\xE4\xBD\xA0", 1), R "你");
}

// Against the other implementation of the same rule, over every string of up to 4 of these bytes.
TEST(InvalidText, AgreesWithTheTokenizersReplacement) {
  const std::string bytes = "A\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xE0\xE4\xED\xF0\xF4\xF5";
  std::vector<std::string> texts{""};
  for (std::size_t begin = 0, length = 0; length < 4; ++length) {
    std::size_t end = texts.size();
    for (; begin < end; ++begin) {
      for (char byte : bytes) texts.push_back(texts[begin] + byte);
    }
  }
  EXPECT_GT(texts.size(), 50000u);
  for (const std::string& text : texts) {
    std::string result = text;
    replace_invalid_utf8(result);
    ASSERT_EQ(result, utf8_lossy(text)) << testing::PrintToString(text);
  }
}

TEST(InvalidText, LoneSurrogatesOfJsonAreFound) {
  auto find = [](const char* json) { return static_cast<int>(find_lone_surrogate(json)); };
  EXPECT_EQ(find(R"("plain \n \u0041 \ud83d\ude00")"), -1);
  EXPECT_EQ(find(R"("a\ud83d")"), 2);
  EXPECT_EQ(find(R"("a\uDE00b")"), 2);
  EXPECT_EQ(find(R"("\ud83d\ud83d\ude00")"), 1);
  EXPECT_EQ(find(R"("\ud83d\ude00\ude00")"), 13);
  EXPECT_EQ(find(R"("\\ud83d")"), -1);  // a backslash, then letters
  EXPECT_EQ(find(R"("\\\ud83d")"), 3);
  EXPECT_EQ(find(R"("\ud8)"), -1);
  EXPECT_EQ(find(R"(\)"), -1);
  EXPECT_EQ(find(R"("\uzzzz\ud83d")"), 7);
  std::string json = R"("\ud83d \ude00\ud83d\ude00 \udfff")";
  EXPECT_EQ(replace_lone_surrogates(json), 3u);
  EXPECT_EQ(json, R"("\uFFFD \uFFFD\ud83d\ude00 \uFFFD")");
}

class InvalidTextPolicy : public testing::Test {
 protected:
  CorpusReport read(const std::string& path, const std::string& policy,
                    const std::string& document = "line") {
    texts_.clear();
    return read_corpus({path}, {.document = document, .invalid_utf8 = policy},
                       [&](Document&& found) { texts_.push_back(std::move(found.text)); });
  }

  CorpusFiles files_;
  std::vector<std::string> texts_;
};

TEST_F(InvalidTextPolicy, LinesAreReplacedOrLeftOut) {
  for (const char* name : {"a.txt", "a.txt.gz", "a.txt.zst"}) {
    std::string path = files_.add(name, "\xEF\xBB\xBFone\xE9\r\ntwo\n\xC3\n\xFFthree\xFF\xFF");
    EXPECT_EQ(read(path, "replace").skips, (CorpusSkips{.replaced = 5}));
    EXPECT_THAT(texts_, ElementsAre("one" R, "two", R, R "three" R R));
    EXPECT_EQ(read(path, "skip").skips, (CorpusSkips{.skipped_lines = 3}));
    EXPECT_THAT(texts_, ElementsAre("two"));
    EXPECT_ERROR(read(path, "error"), data, HasSubstr("byte 0xE9 at offset 6"));
  }
  std::string path = files_.add("b.txt", "one\n\xFF\ntwo\n\nthree\xFF\n");
  read(path, "skip", "blank_line");
  EXPECT_THAT(texts_, ElementsAre("one\ntwo"));  // the line is as if it had never been there
}

TEST_F(InvalidTextPolicy, RecordsAreReplacedOrLeftOut) {
  std::string path = files_.add("a.jsonl",
                                "{\"text\": \"one\"}\n{\"text\": \"t\xFFwo\"}\n{\"text\": \"thr\\ud800ee\"}\n"
                                "{\"text\": \"\\ud83d\\ude00\"}");
  EXPECT_EQ(read(path, "replace").skips, (CorpusSkips{.replaced = 2}));
  EXPECT_THAT(texts_, ElementsAre("one", "t" R "wo", "thr" R "ee", "😀"));
  EXPECT_EQ(read(path, "skip").skips, (CorpusSkips{.skipped_records = 2}));
  EXPECT_THAT(texts_, ElementsAre("one", "😀"));
  path = files_.add("b.jsonl", "{\"text\": \"thr\\ud800ee\"}");
  EXPECT_ERROR(read(path, "error"), data,
               path +
                   ":1, byte 13: \\ud800 is half a surrogate pair and no character; write the file anew, or "
                   "set data.invalid_utf8 to replace or skip");
}

TEST_F(InvalidTextPolicy, OtherEncodingsAreRefusedByEveryPolicy) {
  for (std::string mark :
       {std::string("\xFF\xFE"), std::string("\xFE\xFF"), std::string("\xFF\xFE\0\0", 4)}) {
    std::string path = files_.add("a.txt", mark + std::string("a\0b\0", 4));
    for (const char* policy : {"error", "replace", "skip"}) {
      EXPECT_ERROR(read(path, policy), data,
                   path +
                       ": not UTF-8: the file begins with a byte order mark of UTF-16 or UTF-32; convert "
                       "the file to UTF-8 (iconv does that)");
    }
  }
}

TEST_F(InvalidTextPolicy, NulIsACharacter) {
  std::string path = files_.add("a.jsonl", "{\"text\": \"a\\u0000b\"}");
  EXPECT_EQ(read(path, "error").skips, CorpusSkips{});
  EXPECT_THAT(texts_, ElementsAre(std::string("a\0b", 3)));
}

#undef R

TEST(CorpusReport, SaysWhatWasReadAndWhatWasNot) {
  CorpusReport report{.files = 2, .documents = 1, .sentences = 4, .tokens = 10, .bytes = 41};
  EXPECT_EQ(to_text(report), "2 files, 1 document, 4 sentences, 10 tokens, 4.10 bytes a token");
  EXPECT_EQ(skips_text(report), "");
  report.skips = {
      .replaced = 1, .skipped_lines = 2, .skipped_records = 1, .blank_records = 3, .without_token = 1};
  report.other_files = 4;
  EXPECT_EQ(
      skips_text(report),
      "left out: 2 lines that are not UTF-8, 1 record that is not UTF-8, 3 records without text, 1 document "
      "without a token, 4 files of other kinds; replaced by U+FFFD: 1 sequence that is no UTF-8");
  report = {.skips = {.replaced = 2}};
  EXPECT_EQ(skips_text(report), "replaced by U+FFFD: 2 sequences that are no UTF-8");
  EXPECT_EQ(report.bytes_per_token(), 0);
}

}  // namespace
}  // namespace surprisal
