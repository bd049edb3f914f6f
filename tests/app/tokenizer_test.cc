#include "surprisal/tokenizer.h"

#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "tests/app/program.h"
#include "tests/infer/tiny_language.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TokenizerVerb : public testing::Test {
 protected:
  Workplace workplace_;
};

TEST_F(TokenizerVerb, TrainsByteLevelBpe) {
  Outcome outcome = workplace_.run({"tokenizer", "train", "--type", "bpe", "--vocab-size", "270", "--out",
                                    "new", "--json", "text.txt", "text.txt"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.json().at("vocab_size"), 270);
  EXPECT_EQ(outcome.err, "");
  Tokenizer tokenizer = Tokenizer::load(workplace_ / "new");
  EXPECT_EQ(tokenizer.vocabulary_size(), 270);
  EXPECT_EQ(tokenizer.id("<|endoftext|>"), 0);
}

TEST_F(TokenizerVerb, TrainsWordPiece) {
  Outcome outcome = workplace_.run({"tokenizer", "train", "--type", "wordpiece", "--vocab-size", "60",
                                    "--lowercase", "--out", "new", "text.txt"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("60 entries"));
  Tokenizer tokenizer = Tokenizer::load(workplace_ / "new");
  EXPECT_EQ(tokenizer.vocabulary_size(), 60);
  EXPECT_EQ(tokenizer.special().pad, 0);
  EXPECT_EQ(tokenizer.special().mask, 4);
}

TEST_F(TokenizerVerb, SaysWhereTheTextAllowsFewerEntries) {
  Outcome outcome = workplace_.run(
      {"tokenizer", "train", "--type", "bpe", "--vocab-size", "9000", "--out", "new", "--json", "text.txt"});
  ASSERT_EQ(outcome.code, 0);
  std::int64_t reached = outcome.json().at("vocab_size");
  EXPECT_LT(reached, 9000);
  EXPECT_THAT(outcome.err,
              AllOf(HasSubstr("warning"), HasSubstr(std::to_string(reached)), HasSubstr("9000")));
  EXPECT_EQ(Tokenizer::load(workplace_ / "new").vocabulary_size(), reached);
}

TEST_F(TokenizerVerb, TrainsUnigram) {
  Outcome outcome = workplace_.run({"tokenizer", "train", "--type", "unigram", "--vocab-size", "300",
                                    "--byte-fallback", "--specials", "glm", "--out", "new", "text.txt"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  Tokenizer tokenizer = Tokenizer::load(workplace_ / "new");
  EXPECT_EQ(tokenizer.id("<unk>"), 0);
  EXPECT_TRUE(tokenizer.special().gmask);
  EXPECT_FAILS(workplace_.run({"tokenizer", "train", "--type", "bpe", "--byte-fallback", "--vocab-size",
                               "300", "--out", "new", "text.txt"}),
               2, HasSubstr("only a Unigram model falls back to bytes"));
}

TEST_F(TokenizerVerb, AddsGlmsSpecialTokens) {
  std::vector<std::string> arguments{"tokenizer",   "add-specials", "--specials", "glm",
                                     "--tokenizer", "bpe",          "--out",      "new"};
  Outcome outcome = workplace_.run(arguments);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("new: 9 special tokens added, "));
  Tokenizer before = Tokenizer::load(workplace_ / "bpe"), after = Tokenizer::load(workplace_ / "new");
  EXPECT_EQ(after.vocabulary_size(), before.vocabulary_size() + 9);
  EXPECT_EQ(after.special().sop, before.vocabulary_size());
  arguments[3] = "bert";
  EXPECT_FAILS(workplace_.run(arguments), 2, HasSubstr("glm"));
}

// The corpus is read as every verb reads it: directories, patterns, a field's name, a policy.
TEST_F(TokenizerVerb, TrainsOnAnyCorpus) {
  std::filesystem::create_directory(workplace_ / "d");
  workplace_.write("d/a.jsonl", "{\"content\": \"the cat sat\"}\n{\"content\": \"the \xFF dog\"}\n");
  workplace_.write("d/readme.md", "x");
  std::vector<std::string> arguments{"tokenizer",    "train", "--type", "bpe",
                                     "--vocab-size", "260",   "--out",  "new"};
  auto train = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    return workplace_.run(more);
  };
  EXPECT_FAILS(train({"d"}), 3,
               AllOf(HasSubstr("no field \"text\": found content"), HasSubstr("data.field names")));
  EXPECT_FAILS(train({"d", "--data.field", "content"}), 3, HasSubstr("a.jsonl:2: not UTF-8: byte 0xFF"));
  Outcome outcome = train({"--data.field", "content", "--data.invalid_utf8=skip", "d/*"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "surprisal: left out: 1 record that is not UTF-8, 1 file of another kind\n");
  EXPECT_FAILS(train({"--data.fields", "content", "d"}), 2, HasSubstr("did you mean --data.field?"));
  EXPECT_FAILS(train({"-"}), 2, HasSubstr("a corpus cannot come from standard input"));
  EXPECT_FAILS(train({"e*.txt"}), 6, HasSubstr("e*.txt: no file matches"));
}

// A line ends by \n alone: \r stays, an empty line has no ids, the last line needs no end.
TEST_F(TokenizerVerb, EncodesLineByLine) {
  workplace_.write("lines.txt", "the cat\r\n\n a dog\xE2\x80\xA8 <|endoftext|>\nlast");
  Outcome outcome = workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "--json", "lines.txt"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::vector<Json> lines = outcome.json_lines();
  ASSERT_EQ(lines.size(), 4u);
  const char* texts[] = {"the cat\r", "", " a dog\xE2\x80\xA8 <|endoftext|>", "last"};
  for (std::size_t line = 0; line < 4; ++line) {
    std::vector<std::int32_t> ids;
    tiny_bpe().encode(texts[line], ids);
    EXPECT_EQ(lines[line].get<std::vector<std::int32_t>>(), ids) << line;
  }
  EXPECT_THAT(lines[2].get<std::vector<std::int32_t>>(), testing::Contains(0));
}

TEST_F(TokenizerVerb, SpecialAddsWhatThePostProcessorAdds) {
  workplace_.write("lines.txt", "the cat\n\n");
  Outcome outcome = workplace_.run(
      {"tokenizer", "encode", "--tokenizer", "wordpiece/tokenizer.json", "--special", "--json", "lines.txt"});
  std::vector<Json> lines = outcome.json_lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].get<std::vector<std::int32_t>>(), tiny_wordpiece().encode_with_special("the cat"));
  EXPECT_EQ(lines[1].get<std::vector<std::int32_t>>(), (std::vector<std::int32_t>{2, 3}));
}

TEST_F(TokenizerVerb, DecodesWhatItEncoded) {
  workplace_.write("lines.txt", "the cat \"sees\" \\ \t a dog.\n\nzwölf 狗\n");
  Outcome encoded = workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "--json", "lines.txt"});
  workplace_.write("ids.jsonl", encoded.out);
  Outcome decoded = workplace_.run({"tokenizer", "decode", "--tokenizer", "bpe", "--json", "ids.jsonl"});
  ASSERT_EQ(decoded.code, 0) << decoded.err;
  EXPECT_THAT(decoded.json_lines(), ElementsAre("the cat \"sees\" \\ \t a dog.", "", "zwölf 狗"));
  EXPECT_EQ(workplace_.run({"tokenizer", "decode", "--tokenizer", "bpe", "--json", "-"}, encoded.out).out,
            decoded.out);
}

TEST_F(TokenizerVerb, AnEmptyFileHasNoLines) {
  workplace_.write("empty.txt", "");
  Outcome outcome = workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "--json", "empty.txt"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "");
}

TEST_F(TokenizerVerb, ManyLinesKeepTheirOrder) {
  std::string text;
  for (int line = 0; line < 10000; ++line) text += std::to_string(line) + "\n";
  workplace_.write("numbers.txt", text);
  Outcome encoded = workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "--json", "numbers.txt"});
  Outcome decoded = workplace_.run({"tokenizer", "decode", "--tokenizer", "bpe", "-"}, encoded.out);
  EXPECT_EQ(decoded.out, text);
}

TEST_F(TokenizerVerb, ALineLongerThanABlockStaysWhole) {
  std::string line;
  while (line.size() < 5'000'000) line += "the cat sees a dog ";
  std::string text = "the\n" + line + "\n\n" + line + "\nlast\n";
  Outcome encoded = workplace_.run({"tokenizer", "encode", "--tokenizer", "bpe", "--json", "-"}, text);
  ASSERT_EQ(encoded.code, 0) << encoded.err;
  Outcome decoded = workplace_.run({"tokenizer", "decode", "--tokenizer", "bpe", "-"}, encoded.out);
  EXPECT_TRUE(decoded.out == text);
}

// The other end of the pipe stays open until there are ids.
TEST_F(TokenizerVerb, AnswersBeforeTheInputEnds) {
  std::string script =
      "cd '" + (workplace_ / "").string() + "' && mkfifo lines && { '" + SURPRISAL_PROGRAM +
      "' tokenizer encode --tokenizer bpe - < lines > ids & } && exec 3> lines && "
      "echo 'the cat' >&3 && i=0; while [ ! -s ids ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i+1)); "
      "done; cp ids early; echo 'a dog' >&3; exec 3>&-; wait";
  ASSERT_EQ(std::system(script.c_str()), 0);
  std::string early = read_file(workplace_ / "early"), all = read_file(workplace_ / "ids");
  EXPECT_EQ(std::count(early.begin(), early.end(), '\n'), 1);
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2);
  EXPECT_EQ(all.substr(0, early.size()), early);
}

}  // namespace
}  // namespace surprisal
