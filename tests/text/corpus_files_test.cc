#include "text/corpus/corpus_files.h"

#include <filesystem>

#include <sys/stat.h>

#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class CorpusFilesTest : public testing::Test {
 protected:
  // What the test directory's part of a path leaves of each file.
  std::vector<std::string> list(const std::vector<std::string>& written) {
    std::vector<std::string> paths, result;
    for (const std::string& path : written) paths.push_back(files_.path(path));
    for (const std::string& path : list_corpus_files(paths).files)
      result.push_back(path.substr(files_.path("").size()));
    return result;
  }
  void add(std::initializer_list<const char*> names) {
    for (const char* name : names) files_.add(name, "x");
  }

  CorpusFiles files_;
};

using Names = std::vector<std::string>;

TEST_F(CorpusFilesTest, DirectoryStandsForTheTextFilesBelowIt) {
  add({"d/b.txt", "d/a/z.jsonl.zst", "d/a.txt.gz", "d/B.TXT", "d/a/y/x.txt.zst", "d/c.jsonl", "d/c.jsonl.gz",
       "d/readme.md", "d/text", "d/.hidden.txt", "d/.git/x.txt", "e.txt"});
  Names wanted = {"d/B.TXT", "d/a.txt.gz", "d/a/y/x.txt.zst", "d/a/z.jsonl.zst",
                  "d/b.txt", "d/c.jsonl",  "d/c.jsonl.gz"};
  EXPECT_EQ(list({"d"}), wanted);
  CorpusFileList found = list_corpus_files({files_.path("d"), files_.path("e.txt")});
  EXPECT_EQ(found.other_files, 2u);
  EXPECT_EQ(found.files.back(), files_.path("e.txt"));
  std::uint64_t bytes = 0;
  for (const std::string& path : found.files) bytes += fs::file_size(path);
  EXPECT_EQ(found.bytes, bytes);
}

TEST_F(CorpusFilesTest, PatternStandsForWhatItMatches) {
  add({"d/a1.txt", "d/a2.txt", "d/b1.txt", "d/b.md", "d/.c.txt", "d/s/a3.txt", "d/s/t/a4.txt", "d/u/a5.txt"});
  EXPECT_EQ(list({"d/*.txt"}), (Names{"d/a1.txt", "d/a2.txt", "d/b1.txt"}));
  EXPECT_EQ(list({"d/?1.txt"}), (Names{"d/a1.txt", "d/b1.txt"}));
  EXPECT_EQ(list({"d/a[!1].txt"}), (Names{"d/a2.txt"}));
  EXPECT_EQ(list({"d/*/*.txt"}), (Names{"d/s/a3.txt", "d/u/a5.txt"}));
  EXPECT_EQ(list({"d/**/a*.txt"}),
            (Names{"d/a1.txt", "d/a2.txt", "d/s/a3.txt", "d/s/t/a4.txt", "d/u/a5.txt"}));
  EXPECT_EQ(list({"d/**/t/*"}), (Names{"d/s/t/a4.txt"}));
  EXPECT_EQ(list({"d/[su]"}), (Names{"d/s/a3.txt", "d/s/t/a4.txt", "d/u/a5.txt"}));
  EXPECT_EQ(list({"d/**"}), list({"d"}));
  EXPECT_EQ(list({"d/*"}), list({"d"}));
  EXPECT_EQ(list({"d/**/**/a4.txt"}), (Names{"d/s/t/a4.txt"}));
}

TEST_F(CorpusFilesTest, RelativePatternsStartAtTheWorkingDirectory) {
  add({"d/a.txt"});
  fs::path before = fs::current_path();
  fs::current_path(files_.path("d"));
  EXPECT_EQ(list_corpus_files({"*.txt"}).files, (Names{"a.txt"}));
  EXPECT_EQ(list_corpus_files({"./**/*.txt"}).files, (Names{"./a.txt"}));
  fs::current_path(before);
}

TEST_F(CorpusFilesTest, NameThatExistsIsNoPattern) {
  add({"a[1].txt", "a1.txt"});
  EXPECT_EQ(list({"a[1].txt"}), (Names{"a[1].txt"}));
  EXPECT_EQ(list({"a[12].txt"}), (Names{"a1.txt"}));
}

TEST_F(CorpusFilesTest, LinksAreFollowed) {
  add({"blobs/1.txt", "elsewhere/2.txt"});
  fs::create_directory(files_.path("d"));
  fs::create_symlink("../blobs/1.txt", files_.path("d/one.txt"));
  fs::create_directory_symlink("../elsewhere", files_.path("d/two"));
  EXPECT_EQ(list({"d"}), (Names{"d/one.txt", "d/two/2.txt"}));
  fs::create_symlink("nowhere", files_.path("d/gone.txt"));
  EXPECT_ERROR(list({"d"}), io, files_.path("d/gone.txt") + ": cannot open: no such file");
  fs::remove(files_.path("d/gone.txt"));
  fs::create_directory_symlink(".", files_.path("d/circle"));
  EXPECT_ERROR(list({"d"}), io, HasSubstr("circle"));
}

TEST_F(CorpusFilesTest, WhatHoldsNoTextIsNamed) {
  fs::create_directory(files_.path("empty"));
  add({"d/a.csv", "d/b.md"});
  EXPECT_ERROR(list({"empty"}), data,
               files_.path("empty") +
                   ": the directory holds no text file: expected .txt or .jsonl, each also "
                   ".gz or .zst");
  EXPECT_ERROR(list({"d"}), data, HasSubstr("found 2 of other kinds, expected .txt"));
  EXPECT_ERROR(list({"d/*.csv"}), data,
               files_.path("d/*.csv") +
                   ": no text file matches: found 1 of other kinds, expected .txt or "
                   ".jsonl, each also .gz or .zst");
  EXPECT_ERROR(list({"d/*.txt"}), io, files_.path("d/*.txt") + ": no file matches");
  EXPECT_ERROR(list({"none/*.txt"}), io, files_.path("none/*.txt") + ": no file matches");
  EXPECT_ERROR(list({"none/a.txt"}), io, files_.path("none/a.txt") + ": cannot open: no such file");
}

TEST_F(CorpusFilesTest, WhatCanBeReadOnlyOnceIsRefused) {
  EXPECT_ERROR(list_corpus_files({"-"}), usage,
               "-: a corpus cannot come from standard input: it is read twice, first to see whether it was "
               "tokenised before; write it to a file");
  std::string pipe = files_.path("pipe.txt");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_ERROR(list_corpus_files({pipe}), io,
               pipe +
                   ": not a regular file: a corpus is read twice, first to see whether it was tokenised "
                   "before; write it to a file");
  EXPECT_ERROR(list_corpus_files({"/dev/null"}), io, HasSubstr("not a regular file"));
}

TEST_F(CorpusFilesTest, OverlapIsRefused) {
  add({"d/a.txt", "d/b.txt"});
  EXPECT_ERROR(list({"d", "d/a.txt"}), usage,
               files_.path("d/a.txt") +
                   ": the file is given twice, by a directory or pattern and again; give it once");
  EXPECT_ERROR(list({"d/b.txt", "d/*.txt"}), usage, HasSubstr("d/b.txt: the file is given twice"));
  EXPECT_ERROR(list({"d", "d/../d"}), usage, HasSubstr("the file is given twice"));
  EXPECT_EQ(list({"d/a.txt", "d/a.txt"}), (Names{"d/a.txt", "d/a.txt"}));  // named twice is meant twice
  const std::string once = files_.path("d/b.txt"), again = files_.path("d/../d/b.txt");
  EXPECT_EQ(list_corpus_files({once, files_.path("d/a.txt")}).repeated_files, 0u);
  EXPECT_EQ(list_corpus_files({once, again, once}).repeated_files, 2u);
}

TEST_F(CorpusFilesTest, ChangeIsNoticed) {
  add({"a.txt", "b.txt"});
  CorpusFileList list = list_corpus_files({files_.path("a.txt"), files_.path("b.txt")});
  list.check_unchanged();
  files_.add("b.txt", "longer");
  EXPECT_ERROR(
      list.check_unchanged(), data,
      files_.path("b.txt") + ": the file changed while it was read; try again once nothing writes to it");
  fs::remove(files_.path("b.txt"));
  EXPECT_ERROR(list.check_unchanged(), io, HasSubstr("b.txt"));
}

}  // namespace
}  // namespace surprisal
