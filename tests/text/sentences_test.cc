#include "text/corpus/sentences.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace surprisal {
namespace {

using testing::ElementsAre;

std::vector<std::string> pieces(std::string_view text, bool divide_lines = true) {
  std::vector<std::uint32_t> starts = find_sentences(text, divide_lines);
  std::vector<std::string> result;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::size_t end = i + 1 < starts.size() ? starts[i + 1] : text.size();
    result.emplace_back(text.substr(starts[i], end - starts[i]));
  }
  return result;
}

// A bar where a new sentence is expected; the text is what is left without the bars.
struct Case {
  const char* marked;
};

class SentenceTest : public testing::TestWithParam<Case> {};

TEST_P(SentenceTest, Splits) {
  std::string text, joined;
  for (char c : std::string(GetParam().marked)) {
    if (c != '|') text += c;
  }
  for (const std::string& piece : pieces(text)) joined += (joined.empty() ? "" : "|") + piece;
  EXPECT_EQ(joined, GetParam().marked);
}

INSTANTIATE_TEST_SUITE_P(
    English, SentenceTest,
    testing::Values(
        Case{"One sentence"}, Case{"One.| Two!| Three?| Four"}, Case{"One.|   Two"}, Case{"Wait?!| What"},
        Case{"He said \"Go.\"| Then he left"}, Case{"(It works.)| Next"},
        Case{"He left.| \"Why?\" she asked.| \"No idea.\""}, Case{"It ends.| (See below.)| Next"},
        Case{"It ends. (see below)"}, Case{"Go home! he said"}, Case{"Use it.| “ls” lists files"},
        Case{"Mr. Smith met Dr. Jones vs. Prof. Lee"}, Case{"Fruit, e.g. Apples, i.e. Things, cf. Trees"},
        Case{"Apples, pears, etc. and more"}, Case{"Apples, pears, etc.| The rest is missing"},
        Case{"See Fig. 3 and Figs. A and B"}, Case{"See No. 5 and pp. 7 and Vol. 2"},
        Case{"I said no.| Then I left"}, Case{"J. R. R. Tolkien and J.R.R. Tolkien wrote"},
        Case{"The U.S. Navy"}, Case{"In the U.S.| The law"}, Case{"It was Plan B.| The rest"},
        Case{"On Jan. 5 and Dec. 24"}, Case{"At 5 p.m. Monday"}, Case{"At 5 p.m.| They left"},
        Case{"Pi is 3.14 and .5 and 1.000.000"}, Case{"Pi is 3.14.| It goes on"},
        Case{"Edit config.toml and .bashrc now"}, Case{"Edit config.toml.| Then run it"},
        Case{"Well ... Maybe.| And… Maybe"}, Case{"The end....| Next"},
        Case{"1. First item.| Second sentence"}, Case{"2.1.5. Heading of it"}, Case{"a. First"},
        Case{"IV. Chapter"}, Case{"In 1984.| Then"}, Case{"Version 2.| Then"},
        Case{"It cost $5.| $6 was too much.| 12 people came"}, Case{"Tokenised text .| Like this !| Yes"},
        Case{"Один.| Два"}, Case{"Élan.| Été"}, Case{"Vu. été"}, Case{"A; b; C: D"}, Case{"No space.Here"},
        Case{"Inc. Magazine of Acme Inc.| It sells"}, Case{"Text.”| “More.”"}, Case{"It is 5 ft. in. wide"}));

INSTANTIATE_TEST_SUITE_P(
    Chinese, SentenceTest,
    testing::Values(Case{"你好。|世界！|真的？|是"}, Case{"你好。| 世界"}, Case{"他说：“好。”|然后走了。"},
                    Case{"“好。”，他说。|走了"}, Case{"「はい。」|と言った。"}, Case{"（完。）|下一句"},
                    Case{"真的！！？|是的"}, Case{"第一；第二；第三。|第四"}, Case{"等等……然后。|完"},
                    Case{"你好!|世界?|好"}, Case{"他说\"好。\"|然后\"走。\""}, Case{"他说。|\"好。\"|完"},
                    Case{"版本 3.5。|下载 a.txt 文件。"}, Case{"是吗？——没有。"}, Case{"停！”——他说"},
                    Case{"他说。|“你好”"}, Case{"用 Debian。|Use it.| 然后。"}, Case{"값．|다음"},
                    Case{"３．５倍"}, Case{"使用 apt.| 然后"}));

INSTANTIATE_TEST_SUITE_P(Lines, SentenceTest,
                         testing::Values(Case{"one|\ntwo"}, Case{"  one|  \n\n \t\n  two  \n"},
                                         Case{"\n\none"}, Case{"One.|\nTwo.| Three|\nfour"},
                                         Case{"你好|\n世界。|好\n"}, Case{"one|\xC2\xA0\ntwo"}));

TEST(Sentences, BlankTextIsOne) {
  EXPECT_THAT(pieces(""), ElementsAre(""));
  EXPECT_THAT(pieces(" \n\n "), ElementsAre(" \n\n "));
}

TEST(Sentences, LinesAloneWhereNotDivided) {
  EXPECT_THAT(pieces("One. Two\nThree。四\n", false), ElementsAre("One. Two", "\nThree。四\n"));
}

// White space stands only at the beginning of a sentence, as it does in a pre-token of GPT-2's pattern.
TEST(Sentences, WhiteSpaceBelongsToTheLaterSentence) {
  EXPECT_THAT(pieces("A one. \t B two!\n\n\xE3\x80\x80 C。 D"),
              ElementsAre("A one.", " \t B two!", "\n\n\xE3\x80\x80 C。", " D"));
}

TEST(Sentences, LongLinesTakeTimeInProportion) {
  for (std::string part : {"!\"b", ". ", ".'\"", "e.g. ", "“。"}) {
    std::string text;
    while (text.size() < 1'000'000) text += part;
    EXPECT_GE(find_sentences(text, true).size(), 1u);
  }
}

TEST(JoinLines, PutsABlankOrNothing) {
  EXPECT_EQ(join_lines("one \n  two\nthree"), "one two three");
  EXPECT_EQ(join_lines("你好，\n世界\nDebian\n系统 3\n个"), "你好，世界 Debian 系统 3 个");
  EXPECT_EQ(join_lines("他说\n“好”\n了\r\n"), "他说“好”了");
  EXPECT_EQ(join_lines("he said\n“yes”\n한국\n어"), "he said “yes” 한국 어");
}

TEST(JoinLines, KeepsParagraphsApart) {
  EXPECT_EQ(join_lines("\n\none\ntwo\n \n\nthree\n\n"), "one two\nthree");
  EXPECT_EQ(join_lines(" \n"), "");
}

}  // namespace
}  // namespace surprisal
