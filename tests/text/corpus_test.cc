#include "text/corpus/corpus.h"

#include <string>
#include <vector>

#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"

namespace surprisal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CorpusTest : public testing::Test {
 protected:
  CorpusFiles files_;
};

TEST_F(CorpusTest, BlankLineEndsADocument) {
  auto documents = documents_of({files_.add("a.txt", "\n \t\none\n two \n\n\n\xE3\x80\x80\nthree\n\nfour")});
  ASSERT_EQ(documents.size(), 3u);
  EXPECT_EQ(documents[0].text, "one\n two ");
  EXPECT_EQ(documents[0].line, 3u);
  EXPECT_EQ(documents[1].text, "three");
  EXPECT_EQ(documents[1].line, 8u);
  EXPECT_EQ(documents[2].text, "four");
  EXPECT_EQ(documents[2].line, 10u);
}

TEST_F(CorpusTest, LineIsADocument) {
  auto documents = documents_of({files_.add("a.txt", "one\n\n  \n two\nthree")}, {.document = "line"});
  ASSERT_EQ(documents.size(), 3u);
  EXPECT_EQ(documents[1].text, " two");
  EXPECT_EQ(documents[1].line, 4u);
  EXPECT_EQ(documents[2].text, "three");
}

TEST_F(CorpusTest, FileIsADocument) {
  std::string a = files_.add("a.txt", "\none\n\n\ntwo\n\n"), b = files_.add("b.txt", "\n \n"),
              c = files_.add("c.txt", "x");
  auto documents = documents_of({a, b, c}, {.document = "file"});
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].text, "\none\n\n\ntwo\n");
  EXPECT_EQ(documents[0].line, 1u);
  EXPECT_EQ(documents[1].text, "x");
  EXPECT_EQ(documents[1].file, 2u);
}

TEST_F(CorpusTest, RecordIsADocumentWhateverTheOption) {
  std::string path =
      files_.add("a.jsonl",
                 "{\"text\": \"one\\n\\ntwo\\r\\n\", \"id\": 7}\n\n  \n{\"text\": \" \\n\"}\r\n"
                 "{\"text\": \"\\u4f60\\ud83d\\ude00\"}");
  for (const char* document : {"blank_line", "line", "file"}) {
    auto documents = documents_of({path}, {.document = document});
    ASSERT_EQ(documents.size(), 2u) << document;
    EXPECT_EQ(documents[0].text, "one\n\ntwo\r\n");
    EXPECT_EQ(documents[1].text, "你😀");
    EXPECT_EQ(documents[1].line, 5u);
  }
}

TEST_F(CorpusTest, CompressedFilesReadAsPlainOnes) {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "line " + std::to_string(i) + (i % 7 ? "\n" : "\n\n");
  std::string record = "{\"text\": \"one\"}\n";
  EXPECT_EQ(texts_of({files_.add("a.txt.gz", text)}), texts_of({files_.add("a.txt", text)}));
  EXPECT_EQ(texts_of({files_.add("a.txt.zst", text)}), texts_of({files_.add("a.txt", text)}));
  EXPECT_THAT(texts_of({files_.add("B.JSONL.GZ.jsonl.gz", record)}), ElementsAre("one"));
  EXPECT_THAT(texts_of({files_.add("b.jsonl.zst", record)}), ElementsAre("one"));
  EXPECT_THAT(texts_of({files_.add("C.TXT", "two")}), ElementsAre("two"));
}

TEST_F(CorpusTest, GzipMembersFollowOneAnother) {
  std::string path = files_.path("a.txt.gz");
  write_bytes(path, gzip("one\nt") + gzip("") + gzip("wo") + std::string(1000, '\0'));
  EXPECT_THAT(texts_of({path}), ElementsAre("one\ntwo"));
}

TEST_F(CorpusTest, ZstdFramesFollowOneAnother) {
  std::string skippable("\x50\x2A\x4D\x18\x04\0\0\0abcd", 12);  // a frame that decoders leave out
  std::string path = files_.path("a.txt.zst");
  write_bytes(path, zstd("one\nt") + zstd("") + skippable + zstd("wo"));
  EXPECT_THAT(texts_of({path}), ElementsAre("one\ntwo"));
}

TEST_F(CorpusTest, CarriageReturnsAndByteOrderMarkAreDropped) {
  std::string path = files_.add("a.txt", "\xEF\xBB\xBFone\r\ntwo\rx\r\n\r\n\xEF\xBB\xBFthree\r\r\nfour\r\n");
  EXPECT_THAT(texts_of({path}), ElementsAre("one\ntwo\rx", "\xEF\xBB\xBFthree\r\nfour"));
}

TEST_F(CorpusTest, FilesAreReadInOrder) {
  std::string a = files_.add("a.txt", "a"), b = files_.add("b.jsonl", "{\"text\": \"b\"}");
  EXPECT_THAT(texts_of({b, a, b}), ElementsAre("b", "a", "b"));
  EXPECT_EQ(documents_of({b, a, b})[2].file, 2u);
}

TEST_F(CorpusTest, HugeLineAndControlCharactersAreText) {
  std::string line(3'000'000, 'x');
  line[1'000'000] = '\0';
  line += "é";
  EXPECT_THAT(texts_of({files_.add("a.txt", line + "\n" + line)}), ElementsAre(line + "\n" + line));
}

TEST_F(CorpusTest, SentencesCoverTheText) {
  std::string path = files_.add("a.txt", "One. Two\n  three. \nFour");
  auto starts = [&](const char* sentence) {
    return documents_of({path}, {.sentence = sentence})[0].sentences;
  };
  EXPECT_THAT(starts("both"), ElementsAre(0, 4, 8, 17));
  EXPECT_THAT(starts("line"), ElementsAre(0, 8, 17));
  Document joined = documents_of({path}, {.sentence = "split"})[0];
  EXPECT_EQ(joined.text, "One. Two three. Four");
  EXPECT_THAT(joined.sentences, ElementsAre(0, 4, 15));
}

TEST_F(CorpusTest, InvalidUtf8IsNamedByItsOffset) {
  std::string path = files_.add("a.txt", "\xEF\xBB\xBFok\r\nab\xE9 c\n");
  EXPECT_ERROR(
      documents_of({path}), data,
      path +
          ":2: not UTF-8: byte 0xE9 at offset 9; convert the file to UTF-8 (iconv does that), or set "
          "data.invalid_utf8 to replace or skip");
}

// Every kind of bad sequence, at every place around the reader's buffer of 2^18 bytes, in the decompressed
// text.
TEST_F(CorpusTest, InvalidUtf8IsFoundAcrossBuffers) {
  for (std::string bad : {"\x80", "\xC3", "\xE4\xBD", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    for (std::size_t before = (1 << 18) - 4; before < (1 << 18) + 2; ++before) {
      std::string path = files_.add("a.txt.gz", std::string(before, 'x') + bad + "yz\n");
      EXPECT_ERROR(documents_of({path}), data, HasSubstr("at offset " + std::to_string(before) + ";"));
    }
  }
  std::string good = std::string((1 << 18) - 1, 'x') + "你";
  EXPECT_THAT(texts_of({files_.add("b.txt", good)}), ElementsAre(good));
}

TEST_F(CorpusTest, DamagedGzipIsRefused) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 10007) + "\n";
  std::string whole = gzip(text), path = files_.path("a.txt.gz");
  for (std::size_t size : {std::size_t{5}, whole.size() / 2, whole.size() - 9, whole.size() - 1}) {
    write_bytes(path, whole.substr(0, size));
    EXPECT_ERROR(documents_of({path}), data, path + ": the gzip data end early: the file is truncated");
  }
  whole[whole.size() - 8] ^= 1;  // the checksum
  write_bytes(path, whole);
  EXPECT_ERROR(documents_of({path}), data, path + ": not gzip, or damaged: incorrect data check");
  write_bytes(path, text);
  EXPECT_ERROR(documents_of({path}), data, path + ": not gzip, or damaged: incorrect header check");
}

TEST_F(CorpusTest, DamagedZstdIsRefused) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 10007) + "\n";
  std::string whole = zstd(text) + zstd("end\n"), path = files_.path("a.txt.zst");
  std::size_t first = zstd(text).size();
  for (std::size_t size = 1; size < whole.size(); size += size % 7 + (size < first - 20 ? 97 : 0) + 1) {
    if (size == first) continue;
    write_bytes(path, whole.substr(0, size));
    EXPECT_ERROR(documents_of({path}), data, path + ": the zstd data end early: the file is truncated");
  }
  std::string damaged = whole;
  damaged[0] ^= 1;
  write_bytes(path, damaged);
  EXPECT_ERROR(documents_of({path}), data, path + ": not zstd, or damaged: Unknown frame descriptor");
  write_bytes(path, whole + "rubbish behind the last frame");
  EXPECT_ERROR(documents_of({path}), data, HasSubstr("not zstd, or damaged: Unknown frame descriptor"));
}

// A frame of 13 bytes that asks for a window of 1 GiB.
TEST_F(CorpusTest, LargeZstdWindowIsRefused) {
  std::string path = files_.path("a.txt.zst");
  write_bytes(path, std::string("\x28\xB5\x2F\xFD\x00\xA0\x21\x00\x00one", 12));
  EXPECT_ERROR(documents_of({path}), data,
               path +
                   ": the zstd window is too large: expected at most 128 MiB; compress again with --long=27 "
                   "or without");
  write_bytes(path, std::string("\x28\xB5\x2F\xFD\x00\x88\x19\x00\x00one", 12));  // one of 128 MiB
  EXPECT_THAT(texts_of({path}), ElementsAre("one"));
}

TEST_F(CorpusTest, EndlessLineIsRefused) {
  std::string path = files_.path("a.txt.zst"), block = zstd(std::string(1 << 24, 'x'));
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += block;  // 16 GiB of one line
  write_bytes(path, zstd("one\n") + bytes);
  EXPECT_ERROR(documents_of({path}), data,
               path + ":2: a line of more than 256 MiB; break the text into lines");
}

TEST_F(CorpusTest, FieldHoldsTheText) {
  std::string path =
      files_.add("a.jsonl", R"({"id": 1, "body": {"text": "inner", "n": {"x": "deep"}}, "body.text": "own"}
{"id": 2, "body": {"text": "second", "n": {"x": "deeper"}}})");
  EXPECT_THAT(texts_of({path}, {.field = "body.n.x"}), ElementsAre("deep", "deeper"));
  EXPECT_THAT(texts_of({path}, {.field = "body.text"}), ElementsAre("own", "second"));
  EXPECT_ERROR(documents_of({path}, {.field = "content"}), data,
               path +
                   ":1: the record has no field \"content\": found body, body.text, id; data.field names the "
                   "field that holds the text");
  EXPECT_ERROR(documents_of({path}, {.field = "body.n.y"}), data, HasSubstr("no field \"body.n.y\""));
  EXPECT_ERROR(documents_of({path}, {.field = "id"}), data,
               path + ":1: field \"id\" of the record is no text: found number, expected a string");
  EXPECT_ERROR(documents_of({path}, {.field = "body"}), data, HasSubstr("found object, expected a string"));
  EXPECT_ERROR(documents_of({path}, {.field = ""}), data, HasSubstr("no field \"\""));
  EXPECT_THAT(texts_of({files_.add("b.jsonl", "{\"\": \"x\"}")}, {.field = ""}), ElementsAre("x"));
}

TEST_F(CorpusTest, ReportCountsWhatWasRead) {
  std::string text = files_.add("d/a.txt", "One. Two\n\nThree"), other = files_.add("d/readme.md", "x");
  std::string records = files_.add("d/b.jsonl", "{\"text\": \" \"}\n{\"text\": \"Four\"}");
  CorpusReport report = read_corpus({files_.path("d")}, {}, [](Document&&) {});
  EXPECT_EQ(report.files, 2u);
  EXPECT_EQ(report.other_files, 1u);
  EXPECT_EQ(report.documents, 3u);
  EXPECT_EQ(report.sentences, 4u);
  EXPECT_EQ(report.bytes, 17u);
  EXPECT_EQ(report.skips, (CorpusSkips{.blank_records = 1}));
}

TEST_F(CorpusTest, JsonErrorsNameTheLine) {
  auto read = [&](const std::string& line) {
    documents_of({files_.add("a.jsonl", "{\"text\": \"ok\"}\n\n" + line)});
  };
  std::string where = files_.path("a.jsonl") + ":3";
  EXPECT_ERROR(read("[1]"), data,
               where + ": the record is no JSON object: expected an object with a field \"text\"");
  EXPECT_ERROR(read("{\"text\": "), data, HasSubstr(where));
  EXPECT_ERROR(read("{\"txt\": \"a\"}"), data, testing::AllOf(HasSubstr(where), HasSubstr("text")));
  EXPECT_ERROR(read("{\"text\": 1}"), data, testing::AllOf(HasSubstr(where), HasSubstr("text")));
  EXPECT_ERROR(read("{\"text\": \"a\", \"text\": \"b\"}"), data, HasSubstr(where));
  EXPECT_ERROR(read("{\"text\": \"\\ud800\"}"), data, HasSubstr(where));
}

TEST_F(CorpusTest, FilesThatCannotBeReadAreNamed) {
  std::string good = files_.add("a.txt", "x");
  std::string none = files_.path("none.txt"), directory = files_.path("d.txt");
  std::filesystem::create_directory(directory);
  EXPECT_ERROR(documents_of({good, none}), io, none + ": cannot open: no such file");
  EXPECT_ERROR(
      documents_of({directory}), data,
      directory + ": the directory holds no text file: expected .txt or .jsonl, each also .gz or .zst");
  EXPECT_ERROR(documents_of({files_.add("e.txt", "")}), data, files_.path("e.txt") + ": the file is empty");
  EXPECT_ERROR(documents_of({files_.add("e.txt.gz", "")}), data,
               files_.path("e.txt.gz") + ": the file is empty");
  EXPECT_ERROR(documents_of({}), usage, "no text file is given");
  EXPECT_ERROR(documents_of({files_.add("a.csv", "x")}), data,
               files_.path("a.csv") +
                   ": not a kind of text file that is known by its name: expected .txt or .jsonl, each "
                   "also .gz or .zst");
}

TEST_F(CorpusTest, NothingIsReadBeforeEveryFileIsChecked) {
  int documents = 0;
  EXPECT_ERROR(
      read_corpus({files_.add("a.txt", "x"), files_.path("none.txt")}, {}, [&](Document&&) { ++documents; }),
      io, HasSubstr("none.txt"));
  EXPECT_EQ(documents, 0);
}

TEST(CorpusOptions, RefusesOtherValues) {
  CorpusOptions options;
  auto read = [&](const char* toml) {
    read_options_text(toml, "run.toml", {}, [&](OptionVisitor& visitor) { options.visit(visitor); });
  };
  read("document = \"file\"\nsentence = \"split\"");
  EXPECT_EQ(options.document, "file");
  EXPECT_EQ(options.sentence, "split");
  EXPECT_ERROR(read("document = \"files\""), usage, HasSubstr("file"));
  EXPECT_ERROR(read("sentence = \"dot\""), usage, HasSubstr("both"));
  read("field = \"a.b\"\ninvalid_utf8 = \"skip\"");
  EXPECT_EQ(options.field, "a.b");
  EXPECT_EQ(options.invalid_utf8, "skip");
  EXPECT_ERROR(read("invalid_utf8 = \"ignore\""), usage, HasSubstr("replace"));
}

}  // namespace
}  // namespace surprisal
