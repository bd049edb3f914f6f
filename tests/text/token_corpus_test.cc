#include "text/corpus/token_corpus.h"

#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/parallel.h"
#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"
#include "text/corpus/token_file.h"
#include "text/train/train_tokenizer.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const char* const kText =
    "The cat sat on the mat. It was a good mat.\nThe end.\n\n"
    "你好。世界！ Mixed text here. And more of it.\n\n"
    "A third document, that is one sentence\n";

class TokenCorpusTest : public testing::Test {
 protected:
  void SetUp() override {
    text_ = files_.add("a.txt", kText);
    cache_ = files_.path("cache");
  }
  Tokenizer tokenizer(const std::string& type, std::int64_t vocab_size) {
    TrainedTokenizer trained = train_tokenizer({.type = type,
                                                .vocab_size = vocab_size,
                                                .lowercase = false,
                                                .files = {text_},
                                                .corpus = {},
                                                .progress = {}});
    return Tokenizer::from_json(trained.tokenizer_json, trained.tokenizer_config_json, "test");
  }
  std::vector<fs::path> cached() const {
    std::vector<fs::path> result;
    for (const auto& entry : fs::directory_iterator(cache_)) result.push_back(entry.path());
    return result;
  }

  CorpusFiles files_;
  std::string text_;
  fs::path cache_;
};

void expect_equal(const TokenCorpus& a, const TokenCorpus& b) {
  ASSERT_EQ(a.documents(), b.documents());
  EXPECT_EQ(a.tokens(), b.tokens());
  EXPECT_EQ(a.sentences(), b.sentences());
  EXPECT_EQ(a.bytes(), b.bytes());
  EXPECT_EQ(a.fingerprint(), b.fingerprint());
  for (std::uint64_t i = 0; i < a.documents(); ++i) {
    TokenDocument x = a.document(i), y = b.document(i);
    EXPECT_THAT(x.tokens, testing::ElementsAreArray(y.tokens));
    EXPECT_THAT(x.sentences, testing::ElementsAreArray(y.sentences));
    EXPECT_EQ(x.bytes, y.bytes);
    EXPECT_EQ(a.origin(i), b.origin(i));
  }
}

// The sentences of a document as text, by way of its tokens.
std::vector<std::string> sentence_texts(const TokenDocument& document, const Tokenizer& tokenizer) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < document.sentences.size(); ++i) {
    std::size_t begin = document.sentences[i];
    std::size_t end = i + 1 < document.sentences.size() ? document.sentences[i + 1] : document.tokens.size();
    result.push_back(tokenizer.decode(document.tokens.subspan(begin, end - begin)));
  }
  return result;
}

TEST_F(TokenCorpusTest, ByteLevelSentencesAreExact) {
  for (std::int64_t size : {257, 300, 400}) {
    Tokenizer tokenizer = this->tokenizer("bpe", size);
    TokenCorpus corpus = TokenCorpus::open({text_}, {}, tokenizer, {});
    ASSERT_EQ(corpus.documents(), 3u);
    EXPECT_THAT(sentence_texts(corpus.document(0), tokenizer),
                ElementsAre("The cat sat on the mat.", " It was a good mat.", "\nThe end."));
    EXPECT_THAT(sentence_texts(corpus.document(1), tokenizer),
                ElementsAre("你好。", "世界！", " Mixed text here.", " And more of it."));
    EXPECT_THAT(sentence_texts(corpus.document(2), tokenizer),
                ElementsAre("A third document, that is one sentence"));
    EXPECT_EQ(corpus.document(0).bytes, 51u);
    EXPECT_EQ(corpus.origin(1), text_ + ":4");
    EXPECT_EQ(corpus.sentences(), 8u);
  }
}

TEST_F(TokenCorpusTest, WordPieceSentencesSkipTheBlanksBetween) {
  Tokenizer tokenizer = this->tokenizer("wordpiece", 120);
  TokenCorpus corpus = TokenCorpus::open({text_}, {}, tokenizer, {});
  EXPECT_THAT(sentence_texts(corpus.document(0), tokenizer),
              ElementsAre("The cat sat on the mat.", "It was a good mat.", "The end."));
}

// A token that spans the end of a sentence belongs to the one it begins in; a sentence without a token of its
// own is gone.
TEST_F(TokenCorpusTest, SentenceThatBeginsInsideATokenBeginsAtTheNext) {
  std::string path = files_.add("b.txt", "“好。”“”“好。”“”");
  Tokenizer tokenizer = Tokenizer::from_json(train_tokenizer({.type = "bpe",
                                                              .vocab_size = 300,
                                                              .lowercase = false,
                                                              .files = {path},
                                                              .corpus = {},
                                                              .progress = {}})
                                                 .tokenizer_json,
                                             "", "test");
  TokenCorpus corpus = TokenCorpus::open({path}, {}, tokenizer, {});
  EXPECT_THAT(sentence_texts(corpus.document(0), tokenizer), ElementsAre("“好。”“”“", "好。”“”"));
}

TEST_F(TokenCorpusTest, DocumentsWithoutATokenAreLeftOut) {
  Tokenizer tokenizer = this->tokenizer("wordpiece", 120);
  std::string path =
      files_.add("b.txt", "\xC2\xAD\n\nThe cat\n\n\xE2\x80\x8B\n");  // characters that BERT removes
  TokenCorpus corpus = TokenCorpus::open({path}, {}, tokenizer, {});
  ASSERT_EQ(corpus.documents(), 1u);
  EXPECT_EQ(corpus.origin(0), path + ":3");
}

TEST_F(TokenCorpusTest, CacheGivesTheSameAndIsReused) {
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  int calls = 0;
  auto count = [&](std::uint64_t, std::uint64_t) { ++calls; };
  TokenCorpus memory = TokenCorpus::open({text_}, {}, tokenizer, {});
  TokenCorpus built = TokenCorpus::open({text_}, {}, tokenizer, cache_, count);
  EXPECT_GT(calls, 0);
  ASSERT_EQ(cached().size(), 1u);
  EXPECT_EQ(cached()[0].filename(), built.fingerprint() + ".tokens");
  calls = 0;
  TokenCorpus mapped = TokenCorpus::open({text_}, {}, tokenizer, cache_, count);
  EXPECT_EQ(calls, 0);
  expect_equal(memory, built);
  expect_equal(memory, mapped);
}

TEST_F(TokenCorpusTest, CacheKnowsContentAndNotNames) {
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  std::string first = TokenCorpus::open({text_}, {}, tokenizer, cache_).fingerprint();
  std::string copy = files_.add("copy.txt", kText);
  TokenCorpus moved = TokenCorpus::open({copy}, {}, tokenizer, cache_);
  EXPECT_EQ(moved.fingerprint(), first);
  EXPECT_EQ(moved.origin(0), copy + ":1");

  std::set<std::string> prints = {first};
  auto add = [&](std::vector<std::string> files, CorpusOptions options, const Tokenizer& with) {
    EXPECT_TRUE(prints.insert(TokenCorpus::open(files, options, with, cache_).fingerprint()).second);
  };
  add({text_}, {.document = "file"}, tokenizer);
  add({text_}, {.sentence = "line"}, tokenizer);
  add({text_}, {}, this->tokenizer("bpe", 299));
  add({text_, text_}, {}, tokenizer);
  std::string other = files_.add("other.txt", "Other text.");
  add({text_, other}, {}, tokenizer);
  add({other, text_}, {}, tokenizer);
  EXPECT_EQ(cached().size(), prints.size());
}

TEST_F(TokenCorpusTest, DamagedCacheIsMadeAnew) {
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  TokenCorpus good = TokenCorpus::open({text_}, {}, tokenizer, cache_);
  fs::path path = cached().at(0);
  std::string bytes = read_file(path);
  auto expect_rebuilt = [&](const std::string& damaged) {
    fs::remove(path);
    write_bytes(path, damaged);
    expect_equal(TokenCorpus::open({text_}, {}, tokenizer, cache_), good);
    EXPECT_EQ(read_file(path), bytes);
  };
  for (std::size_t size :
       {std::size_t{0}, std::size_t{135}, std::size_t{136}, bytes.size() / 2, bytes.size() - 1}) {
    expect_rebuilt(bytes.substr(0, size));
  }
  expect_rebuilt(bytes + '\0');
  for (std::size_t at = 0; at < bytes.size(); at += 13) {
    std::string damaged = bytes;
    damaged[at] ^= 0x10;
    expect_rebuilt(damaged);
  }
}

TEST_F(TokenCorpusTest, FailureLeavesNothingInTheCache) {
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  std::string bad = files_.add("bad.txt", std::string(kText) + "\n\xFF");
  EXPECT_ERROR(TokenCorpus::open({bad}, {}, tokenizer, cache_), data, HasSubstr("not UTF-8"));
  std::string blank = files_.add("blank.txt", "\n \n");
  EXPECT_ERROR(TokenCorpus::open({blank}, {}, tokenizer, cache_), data,
               blank + ": no text: every document is blank");
  EXPECT_ERROR(TokenCorpus::open({blank}, {}, tokenizer, {}), data,
               blank + ": no text: every document is blank");
  EXPECT_EQ(cached().size(), 0u);
}

// What a process leaves that is killed while it writes: any beginning of the file, under its name.
TEST_F(TokenCorpusTest, CacheCutAnywhereIsMadeAnew) {
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  TokenCorpus good = TokenCorpus::open({text_}, {}, tokenizer, cache_);
  fs::path path = cached().at(0);
  std::string bytes = read_file(path);
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size % 11) {
    write_bytes(path, bytes.substr(0, size));
    int calls = 0;
    TokenCorpus again = TokenCorpus::open({text_}, {}, tokenizer, cache_, [&](auto, auto) { ++calls; });
    ASSERT_GT(calls, 0) << size;  // it was tokenised, not read
    ASSERT_EQ(again.tokens(), good.tokens());
  }
  EXPECT_EQ(read_file(path), bytes);
  EXPECT_EQ(cached().size(), 1u);
}

TEST_F(TokenCorpusTest, ReportIsKeptInTheCache) {
  Tokenizer tokenizer = this->tokenizer("wordpiece", 120);
  files_.add("d/a.txt", "The cat\n\nsat \xFF on\n\n\xC2\xAD\n\n\xE9");
  files_.add("d/b.jsonl", "{\"text\": \"The mat.\"}\n{\"text\": \"\"}\n{\"text\": \"\xFF\"}");
  files_.add("d/c.md", "x");
  CorpusOptions options{.invalid_utf8 = "skip"};
  TokenCorpus built = TokenCorpus::open({files_.path("d")}, options, tokenizer, cache_);
  CorpusReport report = built.report();
  EXPECT_EQ(report.files, 2u);
  EXPECT_EQ(report.other_files, 1u);
  EXPECT_EQ(report.documents, 2u);
  EXPECT_EQ(report.tokens, built.tokens());
  EXPECT_EQ(report.sentences, 2u);
  EXPECT_EQ(report.bytes, 15u);
  EXPECT_EQ(report.skips,
            (CorpusSkips{.skipped_lines = 2, .skipped_records = 1, .blank_records = 1, .without_token = 1}));
  TokenCorpus mapped = TokenCorpus::open({files_.path("d")}, options, tokenizer, cache_,
                                         [](auto, auto) { FAIL() << "tokenised again"; });
  TokenCorpus memory = TokenCorpus::open({files_.path("d")}, options, tokenizer, {});
  for (const TokenCorpus& other : {mapped, memory}) {
    EXPECT_EQ(to_text(other.report()), to_text(report));
    EXPECT_EQ(skips_text(other.report()), skips_text(report));
  }
  options.invalid_utf8 = "replace";
  TokenCorpus replaced = TokenCorpus::open({files_.path("d")}, options, tokenizer, cache_);
  EXPECT_NE(replaced.fingerprint(), built.fingerprint());
  EXPECT_EQ(replaced.report().skips.replaced, 3u);
}

TEST_F(TokenCorpusTest, NothingLeftSaysWhy) {
  std::string path = files_.add("bad.txt", "\xFF\n\xFF");
  EXPECT_ERROR(TokenCorpus::open({path}, {.invalid_utf8 = "skip"}, tokenizer("bpe", 300), cache_), data,
               path + ": no text is left: found left out: 2 lines that are not UTF-8");
  EXPECT_EQ(cached().size(), 0u);
}

// What the callback throws ends the work at once and leaves no trace; the next run begins anew.
TEST_F(TokenCorpusTest, CallbackThatThrowsEndsTheWork) {
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  std::string large;
  for (int i = 0; i < 60000; ++i) large += "Document " + std::to_string(i) + " is one of many.\n\n";
  std::string path = files_.add("large.txt", large);
  int before = threads();
  set_threads(1);
  for (int last : {1, 2}) {
    int calls = 0;
    auto interrupt = [&](std::uint64_t, std::uint64_t) {
      if (++calls == last) throw std::runtime_error("interrupted");
    };
    EXPECT_THROW(TokenCorpus::open({path}, {}, tokenizer, cache_, interrupt), std::runtime_error);
    EXPECT_EQ(calls, last);
    EXPECT_EQ(cached().size(), 0u);
    calls = 0;
    EXPECT_THROW(TokenCorpus::open({path}, {}, tokenizer, {}, interrupt), std::runtime_error);
  }
  set_threads(before);
  EXPECT_EQ(TokenCorpus::open({path}, {}, tokenizer, cache_).documents(), 60000u);
}

TEST_F(TokenCorpusTest, FileThatChangesMeanwhileIsRefused) {
  std::string path = files_.add("a.txt", kText);
  auto append = [&](std::uint64_t, std::uint64_t) { files_.add("a.txt", std::string(kText) + "more"); };
  EXPECT_ERROR(TokenCorpus::open({path}, {}, tokenizer("bpe", 300), cache_, append), data,
               path + ": the file changed while it was read; try again once nothing writes to it");
  EXPECT_EQ(cached().size(), 0u);
}

// Temporary files of a process that was killed go; those of one that runs stay.
TEST_F(TokenCorpusTest, LeftoversOfKilledProcessesAreRemoved) {
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  TokenCorpus::open({text_}, {}, tokenizer, cache_);
  fs::path path = cached().at(0);
  fs::remove(path);
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    TokenFileWriter writer(path);
    kill(getpid(), SIGKILL);
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(cached().size(), 2u);  // the file and its records
  TokenFileWriter running(path);
  EXPECT_EQ(cached().size(), 2u);
  TokenCorpus::open({text_}, {}, tokenizer, cache_);
  EXPECT_EQ(cached().size(), 3u);
}

TEST_F(TokenCorpusTest, CacheDirectoryThatIsAFileIsNamed) {
  EXPECT_ERROR(TokenCorpus::open({text_}, {}, tokenizer("bpe", 300), text_), io, HasSubstr(text_));
}

TEST_F(TokenCorpusTest, ThreadsChangeNothing) {
  std::string large;
  for (int i = 0; i < 30000; ++i) {
    large += "Document " + std::to_string(i) + " has text. It is one of many! " + std::string(i % 50, 'x') +
             "\n\n";
  }
  std::string path = files_.add("large.txt.gz", large);
  Tokenizer tokenizer = this->tokenizer("bpe", 300);
  int before = threads();
  set_threads(1);
  TokenCorpus one = TokenCorpus::open({path, text_}, {}, tokenizer, cache_);
  std::string bytes = read_file(cached().at(0));
  EXPECT_EQ(one.documents(), 30003u);
  for (int count : {2, 3}) {
    set_threads(count);
    fs::remove(cached().at(0));
    std::uint64_t last = 0;
    TokenCorpus::open({path, text_}, {}, tokenizer, cache_, [&](std::uint64_t done, std::uint64_t total) {
      EXPECT_GE(done, last);
      EXPECT_LE(done, total);
      last = done;
    });
    EXPECT_EQ(last, fs::file_size(path) + fs::file_size(text_));
    EXPECT_EQ(read_file(cached().at(0)), bytes) << count << " threads";
  }
  set_threads(before);
}

TEST(TokenCorpusFromIds, KeepsWhatIsGiven) {
  TokenCorpus corpus = TokenCorpus::from_ids({{{5, 6, 7}, {0, 2}, 11}, {{}, {}, 0}, {{8}, {}, 3}});
  ASSERT_EQ(corpus.documents(), 2u);
  EXPECT_THAT(corpus.document(0).tokens, ElementsAre(5, 6, 7));
  EXPECT_THAT(corpus.document(0).sentences, ElementsAre(0, 2));
  EXPECT_THAT(corpus.document(1).tokens, ElementsAre(8));
  EXPECT_THAT(corpus.document(1).sentences, ElementsAre(0));
  EXPECT_EQ(corpus.document(1).bytes, 3u);
  EXPECT_EQ(corpus.origin(1), "document 2");
  EXPECT_EQ(corpus.tokens(), 4u);
  EXPECT_EQ(corpus.sentences(), 3u);
  EXPECT_EQ(corpus.bytes(), 14u);
  EXPECT_NE(corpus.fingerprint(),
            TokenCorpus::from_ids({{{5, 6, 7}, {0, 1}, 11}, {{8}, {}, 3}}).fingerprint());
  EXPECT_EQ(TokenCorpus::from_ids({}).documents(), 0u);
}

TEST(TokenCorpusFromIds, RefusesSentencesThatAreNone) {
  const char* message = "document 0: sentences must begin at 0, ascend, and begin at a token";
  for (std::vector<std::uint32_t> sentences : {std::vector<std::uint32_t>{1}, {0, 0}, {0, 2, 1}, {0, 3}}) {
    EXPECT_ERROR(TokenCorpus::from_ids({{{5, 6, 7}, sentences, 0}}), data, message);
  }
}

}  // namespace
}  // namespace surprisal
