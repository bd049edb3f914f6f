// Records of .jsonl files as texts, pairs and choices.
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <xxhash.h>

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"
#include "text/corpus/token_corpus.h"
#include "text/corpus/token_file.h"
#include "text/train/train_tokenizer.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

RecordOptions reading(std::vector<DocumentKind> kinds) {
  RecordOptions options;
  options.read = {};
  for (DocumentKind kind : kinds) options.add(kind);
  options.readers = {"objective causal reads texts", "objective conditional reads pairs",
                     "objective cloze reads choices"};
  return options;
}

class RecordsTest : public testing::Test {
 protected:
  RecordsTest() {
    std::string text =
        files_.add("words.txt", "the cat sat on the mat it was good bad here a b c d e f x y z { }");
    TrainedTokenizer trained = train_tokenizer({.type = "wordpiece",
                                                .vocab_size = 80,
                                                .lowercase = false,
                                                .files = {text},
                                                .corpus = {},
                                                .progress = {}});
    tokenizer_ = Tokenizer::from_json(trained.tokenizer_json, trained.tokenizer_config_json, "test");
  }
  TokenCorpus open(const std::vector<std::string>& files, const RecordOptions& records,
                   const fs::path& cache = {}) {
    return TokenCorpus::open(files, {.records = records}, *tokenizer_, cache);
  }
  std::string records(const std::string& lines) { return files_.add("records.jsonl", lines); }
  std::string text_of(std::span<const std::int32_t> tokens) { return tokenizer_->decode(tokens); }
  // Reads one record, which is bad: the error must end so.
  void expect_bad(const std::string& record, const RecordOptions& options, const std::string& message) {
    std::string path = records(record);
    EXPECT_ERROR(open({path}, options), data, path + ":1: " + message);
  }

  CorpusFiles files_;
  std::optional<Tokenizer> tokenizer_;
};

constexpr DocumentKind kText = DocumentKind::text, kPair = DocumentKind::pair, kChoice = DocumentKind::choice;

TEST_F(RecordsTest, KindFollowsFromFields) {
  std::string path = records(
      "{\"text\": \"the cat\"}\n"
      "{\"prompt\": \"the cat\", \"completion\": \"sat on the mat\"}\n"
      "{\"text\": \"it was [MASK]\", \"options\": [\"good\", \"bad here\"], \"label\": 1}\n"
      "{\"prompt\": \"\", \"completion\": \"good\", \"text\": \"unread\"}\n"
      "{\"text\": \"a. b\", \"label\": 3}\n");
  TokenCorpus corpus = open({path}, reading({kText, kPair, kChoice}), files_.path("cache"));
  TokenCorpus mapped = open({path}, reading({kText, kPair, kChoice}), files_.path("cache"));
  for (const TokenCorpus& one : {corpus, mapped}) {
    ASSERT_EQ(one.documents(), 5u);
    EXPECT_EQ(one.documents(kText), 2u);
    EXPECT_EQ(one.documents(kPair), 2u);
    EXPECT_EQ(one.documents(kChoice), 1u);
    TokenDocument pair = one.document(1), choice = one.document(2), empty_prompt = one.document(3);
    EXPECT_EQ(pair.kind, kPair);
    EXPECT_EQ(text_of(pair.part(0)), "the cat");
    EXPECT_EQ(text_of(pair.part(1)), "sat on the mat");
    EXPECT_EQ(pair.bytes, 21u);
    EXPECT_EQ(choice.kind, kChoice);
    EXPECT_EQ(choice.label, 1u);
    ASSERT_EQ(choice.sentences.size(), 3u);
    EXPECT_EQ(text_of(choice.part(0)), "it was [MASK]");
    EXPECT_EQ(text_of(choice.part(1)), "good");
    EXPECT_EQ(text_of(choice.part(2)), "bad here");
    EXPECT_TRUE(empty_prompt.part(0).empty());
    EXPECT_EQ(text_of(empty_prompt.part(1)), "good");
    EXPECT_EQ(one.document(4).kind, kText);
    EXPECT_EQ(one.document(4).sentences.size(), 1u);
    EXPECT_EQ(one.report().pairs, 2u);
    EXPECT_EQ(one.report().choices, 1u);
    EXPECT_THAT(to_text(one.report()), HasSubstr("5 documents (2 pairs, 1 choice)"));
  }
}

// A record that two kinds could take is of the one that asks for more, among those that are read.
TEST_F(RecordsTest, OnlyKindsThatAreReadCompete) {
  const std::string record =
      "{\"text\": \"the [MASK]\", \"prompt\": \"a\", \"completion\": \"b\", "
      "\"options\": [\"c\", \"d\"], \"label\": 0}";
  std::string path = records(record);
  EXPECT_EQ(open({path}, reading({kText})).kind(), kText);
  EXPECT_EQ(open({path}, {}).kind(), kText);
  EXPECT_EQ(open({path}, reading({kText, kPair})).kind(), kPair);
  EXPECT_EQ(open({path}, reading({kText, kPair, kChoice})).kind(), kChoice);
  EXPECT_EQ(open({path}, reading({kPair})).kind(), kPair);
}

TEST_F(RecordsTest, KindThatNothingReadsIsAnError) {
  const std::string pair = "{\"prompt\": \"a\", \"completion\": \"b\"}";
  const std::string choice = "{\"text\": \"[MASK]\", \"options\": [\"a\", \"b\"], \"label\": 0}";
  expect_bad(
      pair, reading({kText}),
      "the record is a pair, and nothing here reads one: found completion, prompt, expected a text (field "
      "\"text\"); objective conditional reads pairs");
  expect_bad(
      pair, {},
      "the record is a pair, and nothing here reads one: found completion, prompt, expected a text (field "
      "\"text\")");
  expect_bad(
      "{\"text\": \"a\"}", reading({kPair}),
      "the record is a text, and nothing here reads one: found text, expected a pair (fields \"prompt\" and "
      "\"completion\", \"messages\", or \"instruction\" and \"output\"); objective causal reads texts");
  expect_bad(
      choice, reading({kPair}),
      "the record is a choice, and nothing here reads one: found label, options, text, expected a pair "
      "(fields \"prompt\" and \"completion\", \"messages\", or \"instruction\" and \"output\"); objective "
      "cloze "
      "reads choices");
  expect_bad("{\"x\": \"a\"}", reading({kText, kPair}),
             "the record has no field \"text\": found x, expected a text (field \"text\") or a pair (fields "
             "\"prompt\" and \"completion\", \"messages\", or \"instruction\" and \"output\"); data.field "
             "names the field that holds the text");
  expect_bad("{\"x\": \"a\"}", reading({kText}),
             "the record has no field \"text\": found x; data.field names the field that holds the text");
  expect_bad("{}", reading({kPair, kChoice}),
             "the record is of no kind that is read: found none, expected a pair (fields \"prompt\" and "
             "\"completion\", \"messages\", or \"instruction\" and \"output\") or a choice (fields "
             "\"options\" and \"label\")");
  std::string path = files_.add("a.txt", "the cat");
  EXPECT_ERROR(open({path}, reading({kChoice})), data,
               path + ": the file holds texts, and nothing here reads one: expected records: a .jsonl file");
}

// Fields that nothing here reads may hold anything that is JSON; those that are read may not.
TEST_F(RecordsTest, FieldsThatAreNotReadEndNoRun) {
  const std::string deep = std::string(200, '[') + std::string(200, ']');
  const std::string others = R"("score": 1e999, "tree": )" + deep;
  std::string path = records("{\"text\": \"the cat\", " + others + "}\n{" + others +
                             ", \"prompt\": \"a\", \"completion\": \"b\"}\n");
  EXPECT_EQ(open({path}, reading({kText, kPair})).documents(), 2u);
  expect_bad("{\"text\": 1e999}", reading({kText}),
             "field \"text\" of the record is no text: found null, expected a string");
  expect_bad("{\"text\": " + deep + "}", reading({kText}),
             "field \"text\" of the record is no text: found array, expected a string");
  expect_bad(R"({"text": "[MASK]", "options": ["good", "bad"], "label": 1e999})", reading({kChoice}),
             "key label has a wrong value: found null, expected an integer in [0, 1]");
  std::string broken = records("{\"text\": \"the cat\", \"score\": 1e}");
  EXPECT_ERROR(open({broken}, reading({kText})), data, HasSubstr(broken + ":1, byte "));
}

TEST_F(RecordsTest, BadPairs) {
  const RecordOptions pairs = reading({kText, kPair});
  expect_bad("{\"prompt\": \"a\"}", pairs, "the record has no field \"completion\": found prompt");
  expect_bad("{\"completion\": \"a\"}", pairs, "the record has no field \"prompt\": found completion");
  expect_bad("{\"prompt\": 7, \"completion\": \"a\"}", pairs,
             "field \"prompt\" of the record is no text: found number, expected a string");
  expect_bad("{\"prompt\": \"a\", \"completion\": [\"a\"]}", pairs,
             "field \"completion\" of the record is no text: found array, expected a string");
  expect_bad("{\"prompt\": \"a\", \"completion\": null}", pairs,
             "field \"completion\" of the record is no text: found null, expected a string");
  expect_bad("{\"prompt\": \"a\", \"completion\": \" \\n\"}", pairs, "the pair's completion has no text");
  expect_bad("{\"prompt\": \"a\", \"completion\": \"\\u00ad\"}", pairs,
             "the tokenizer makes no token of the pair's completion");
  expect_bad("[1]", pairs, "the record is no JSON object: expected an object with a field \"text\"");
}

TEST_F(RecordsTest, BadChoices) {
  const RecordOptions choices = reading({kChoice});
  auto choice = [](const std::string& text, const std::string& options, const std::string& label) {
    return "{\"text\": \"" + text + "\", \"options\": " + options + ", \"label\": " + label + "}";
  };
  const std::string good = "[\"good\", \"bad\"]";
  expect_bad("{\"text\": \"[MASK]\", \"label\": 0}", choices,
             "the record has no field \"options\": found label, text");
  expect_bad("{\"text\": \"[MASK]\", \"options\": [\"a\", \"b\"]}", choices,
             "the record has no field \"label\": found options, text");
  expect_bad("{\"options\": [\"a\", \"b\"], \"label\": 0}", choices,
             "the record has no field \"text\": found label, options");
  expect_bad(choice("[MASK]", "\"good\"", "0"), choices,
             "field \"options\" of the record is no list: found string, expected an array of texts");
  expect_bad(choice("[MASK]", "[]", "0"), choices,
             "the choice has an impossible number of options: found 0, expected 2 to 32768");
  expect_bad(choice("[MASK]", "[\"a\"]", "0"), choices,
             "the choice has an impossible number of options: found 1, expected 2 to 32768");
  expect_bad(choice("[MASK]", "[\"a\", 1]", "0"), choices,
             "an option of the record is no text: found number, expected a string");
  expect_bad(choice("[MASK]", good, "2"), choices,
             "key label has a wrong value: found 2, expected an integer in [0, 1]");
  expect_bad(choice("[MASK]", good, "-1"), choices,
             "key label has a wrong value: found -1, expected an integer in [0, 1]");
  expect_bad(choice("[MASK]", good, "\"good\""), choices,
             "key label has a wrong value: found \"good\", expected an integer in [0, 1]");
  expect_bad(choice("[MASK]", "[\"good\", \"\\u00ad\"]", "0"), choices,
             "the tokenizer makes no token of option 1");
  expect_bad(
      choice("it was", good, "0"), choices,
      "the text of a choice has one mask, where the option stands: found none; the tokenizer's is [MASK]; "
      "objective.cloze.pattern can add it");
  expect_bad(
      choice("[MASK] was [MASK]", good, "0"), choices,
      "the text of a choice has one mask, where the option stands: found 2; leave one in the record and "
      "objective.cloze.pattern together");
  RecordOptions with_pattern = choices;
  with_pattern.pattern = "{text} was [MASK]";
  expect_bad(
      choice("it, [MASK],", good, "0"), with_pattern,
      "the text of a choice has one mask, where the option stands: found 2; leave one in the record and "
      "objective.cloze.pattern together");
}

TEST_F(RecordsTest, PatternAndVerbalizer) {
  RecordOptions choices = reading({kChoice});
  choices.pattern = "{a.b} {{it}} was [MASK] {c}";
  choices.verbalizer = {"0 = bad", "yes=good here", " true  =  x"};
  std::string path = records(
      "{\"a\": {\"b\": \"the cat\"}, \"c\": \"d\", \"label\": 0}\n"
      "{\"a\": {\"b\": \"the mat\"}, \"c\": \"\", \"label\": \"yes\"}\n"
      "{\"a\": {\"b\": \"x\"}, \"c\": \"y\", \"label\": true}\n"
      "{\"a\": {\"b\": \"x\"}, \"c\": \"y\", \"label\": 1, \"options\": [\"e\", \"f\"]}\n");
  TokenCorpus corpus = open({path}, choices);
  ASSERT_EQ(corpus.documents(kChoice), 4u);
  EXPECT_EQ(text_of(corpus.document(0).part(0)), "the cat { it } was [MASK] d");
  ASSERT_EQ(corpus.document(0).sentences.size(), 4u);
  EXPECT_EQ(text_of(corpus.document(1).part(2)), "good here");
  for (std::uint64_t i : {0, 1, 2}) EXPECT_EQ(corpus.document(i).label, i);
  EXPECT_EQ(text_of(corpus.document(3).part(2)), "f");
  EXPECT_EQ(corpus.document(3).label, 1u);
  expect_bad("{\"a\": {\"b\": \"x\"}, \"c\": \"y\", \"label\": 1}", choices,
             "the verbalizer has no such label: found 1, expected one of 0, yes, true");
  expect_bad("{\"a\": {\"b\": \"x\"}, \"c\": \"y\", \"label\": 0.5}", choices,
             "the verbalizer has no such label: found number, expected one of 0, yes, true");
  expect_bad("{\"a\": {\"x\": \"x\"}, \"c\": \"y\", \"label\": 0}", choices,
             "the record has no field \"a.b\": found a, c, label");
  expect_bad("{\"c\": \"y\"}", choices,
             "the record is of no kind that is read: found c, expected a choice (field \"label\")");
}

TEST_F(RecordsTest, BadPatternsAndVerbalizers) {
  std::string path = records("{}");
  auto bad = [&](const std::string& pattern, std::vector<std::string> verbalizer,
                 const std::string& message) {
    RecordOptions choices = reading({kChoice});
    choices.pattern = pattern;
    choices.verbalizer = std::move(verbalizer);
    EXPECT_ERROR(open({path}, choices), usage, message);
  };
  const std::string brace = "objective.cloze.pattern: a brace of the pattern encloses no field: found ";
  for (const char* pattern : {"{", "{}", "{a", "{a{b}"})
    bad(pattern, {}, brace + pattern + ", expected \"{field}\"; \"{{\" and \"}}\" are braces of the text");
  bad("{a} }", {}, brace + "}, expected \"{field}\"; \"{{\" and \"}}\" are braces of the text");
  bad("{{a}}", {},
      "objective.cloze.pattern: the pattern has no field of the record: found {{a}}, expected such as "
      "\"{text} It was [MASK].\"");
  const std::string verbalizer = "objective.cloze.verbalizer: ";
  bad("", {"a"}, verbalizer + "an entry of the verbalizer has no '=': found a, expected \"LABEL = OPTION\"");
  bad("", {" = a"}, verbalizer + "an entry of the verbalizer has no label: found  = a");
  bad("", {"a = "}, verbalizer + "an entry of the verbalizer has no option: found a = ");
  bad("", {"a = x", "a=y"}, verbalizer + "the verbalizer has a label twice: found a");
  bad("", {"a = x", "b=x"}, verbalizer + "the verbalizer has an option twice: found x");
  bad("", {"a = x"}, verbalizer + "the verbalizer has one option: found a = x, expected two or more");
}

TEST_F(RecordsTest, ViewsOfAKind) {
  std::string text = files_.add("a.txt", "the cat\n\non the mat");
  std::string path = records(
      "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"text\": \"it\"}\n"
      "{\"prompt\": \"c\", \"completion\": \"d e\"}\n");
  TokenCorpus all = open({text, path}, reading({kText, kPair}), files_.path("cache"));
  TokenCorpus texts = all.of_kind(kText), pairs = all.of_kind(kPair), choices = all.of_kind(kChoice);
  ASSERT_EQ(texts.documents(), 3u);
  ASSERT_EQ(pairs.documents(), 2u);
  EXPECT_EQ(choices.documents(), 0u);
  EXPECT_EQ(texts.kind(), kText);
  EXPECT_EQ(pairs.kind(), kPair);
  EXPECT_EQ(pairs.tokens(), 5u);
  EXPECT_EQ(texts.tokens() + pairs.tokens(), all.tokens());
  EXPECT_EQ(texts.bytes() + pairs.bytes(), all.bytes());
  EXPECT_EQ(texts.origin(1), text + ":3");
  EXPECT_EQ(texts.origin(2), path + ":2");
  EXPECT_EQ(pairs.origin(1), path + ":3");
  EXPECT_EQ(pairs.report().pairs, 2u);
  EXPECT_NE(texts.fingerprint(), pairs.fingerprint());
  EXPECT_NE(texts.fingerprint(), all.fingerprint());
  // Nothing is copied where all are of the kind.
  EXPECT_EQ(pairs.of_kind(kPair).fingerprint(), pairs.fingerprint());
  EXPECT_EQ(pairs.of_kind(kPair).document(0).tokens.data(), pairs.document(0).tokens.data());
  EXPECT_EQ(pairs.document(0).tokens.data(), all.document(2).tokens.data());
  EXPECT_EQ(pairs.first(1).documents(kPair), 1u);
}

// Texts alone are the same corpus as ever, so that runs that began with it go on; what is read beside them is
// part of its name.
TEST_F(RecordsTest, FingerprintKnowsWhatIsRead) {
  std::string path = records("{\"text\": \"the cat [MASK]\", \"label\": 0}");
  std::set<std::string> prints;
  auto add = [&](const RecordOptions& options) {
    return prints.insert(open({path}, options, files_.path("cache")).fingerprint()).second;
  };
  EXPECT_TRUE(add({}));
  EXPECT_FALSE(add(reading({kText})));
  EXPECT_TRUE(add(reading({kText, kPair})));
  RecordOptions choices = reading({kText, kChoice});
  choices.verbalizer = {"0 = a", "1 = b"};
  EXPECT_TRUE(add(choices));
  choices.verbalizer = {"0 = a", "1 = c"};
  EXPECT_TRUE(add(choices));
  choices.pattern = "{text}";
  EXPECT_TRUE(add(choices));
}

// A cache of an earlier layout lies under the same name and is made anew.
TEST_F(RecordsTest, OlderCacheIsNotUsed) {
  std::string path = records("{\"text\": \"the cat\"}");
  const fs::path cache = files_.path("cache");
  const std::string print = open({path}, {}, cache).fingerprint();
  const fs::path file = cache / (print + ".tokens");
  const std::string good = read_file(file);
  for (std::size_t version_at = good.size() - 136 + 8; const std::uint32_t version : {4u, 6u}) {
    std::string other = good;
    std::memcpy(other.data() + version_at, &version, sizeof version);
    const std::uint64_t hash = XXH3_64bits(other.data() + other.size() - 136, 128);
    std::memcpy(other.data() + other.size() - 8, &hash, sizeof hash);
    write_bytes(file, other);
    int calls = 0;
    TokenCorpus::open({path}, {}, *tokenizer_, cache, [&](auto, auto) { ++calls; });
    EXPECT_GT(calls, 0) << version;
    EXPECT_EQ(read_file(file), good);
  }
}

// Every record's kind, number of parts and label are checked before a token file is used.
TEST_F(RecordsTest, RecordsOfATokenFileAreChecked) {
  const fs::path path = files_.path("x.tokens");
  const ContentHash key{.high = 1, .low = 2};
  auto opens = [&](DocumentKind kind, std::vector<std::uint32_t> sentences, std::uint16_t label,
                   std::uint8_t marks = 0) {
    TokenFileWriter writer(path);
    writer.add({.tokens = {1, 2, 3},
                .sentences = std::move(sentences),
                .kind = kind,
                .marks = marks,
                .label = label});
    writer.commit(key, {});
    return TokenFile::open(path, key, 1).has_value();
  };
  EXPECT_TRUE(opens(kText, {0}, 0));
  EXPECT_TRUE(opens(kPair, {0, 1}, 0));
  EXPECT_TRUE(opens(kPair, {0, 0, 1, 2}, 0, PairMark::chat));
  EXPECT_FALSE(opens(kText, {0}, 0, PairMark::chat));
  EXPECT_FALSE(opens(kChoice, {0, 1, 2}, 1, PairMark::line));
  EXPECT_TRUE(opens(kChoice, {0, 1, 2}, 1));
  EXPECT_FALSE(opens(kText, {0}, 1));
  EXPECT_FALSE(opens(kText, {}, 0));
  EXPECT_FALSE(opens(kPair, {0}, 0));
  EXPECT_FALSE(opens(kPair, {0, 1, 2}, 0));
  EXPECT_FALSE(opens(kPair, {0, 1}, 1));
  EXPECT_FALSE(opens(kChoice, {0, 1}, 0));
  EXPECT_FALSE(opens(kChoice, {0, 1, 2}, 2));
  EXPECT_FALSE(opens(static_cast<DocumentKind>(4), {0, 1, 2}, 0));
}

TEST(RecordsFromIds, AreChecked) {
  TokenCorpus corpus =
      TokenCorpus::from_ids({{{5, 6, 7}, {0, 0}, 0, kPair}, {{5, 6, 7}, {0, 1, 2}, 0, kChoice, 1}});
  EXPECT_EQ(corpus.documents(kPair), 1u);
  EXPECT_EQ(corpus.document(1).label, 1u);
  const char* message = "document 0: sentences must begin at 0, ascend, and begin at a token";
  EXPECT_ERROR(TokenCorpus::from_ids({{{5, 6}, {0}, 0, kPair}}), data, message);
  EXPECT_ERROR(TokenCorpus::from_ids({{{5, 6}, {0, 2}, 0, kPair}}), data, message);
  EXPECT_ERROR(TokenCorpus::from_ids({{{5, 6, 7}, {0, 1, 2}, 0, kPair}}), data, message);
  EXPECT_ERROR(TokenCorpus::from_ids({{{5, 6}, {0, 1}, 0, kChoice}}), data, message);
}

}  // namespace
}  // namespace surprisal
