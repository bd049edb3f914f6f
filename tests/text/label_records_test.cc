// Labelled texts: which records are read as one, which labels are refused, and how words become tokens.
#include <bit>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <xxhash.h>

#include "core/file.h"
#include "tests/core/error_matchers.h"
#include "tests/text/corpus_files.h"
#include "tests/text/tokenizer_json.h"
#include "text/corpus/class_names.h"
#include "text/corpus/token_corpus.h"
#include "text/corpus/token_file.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Names = std::vector<std::string>;

constexpr DocumentKind kLabelled = DocumentKind::labelled;

RecordOptions reading(const LabelOptions& labels) {
  RecordOptions options;
  options.read = {};
  options.add(kLabelled);
  options.labels = labels;
  return options;
}
RecordOptions of_texts(const Names& names, bool to_predict = false) {
  return reading({.names = names, .to_predict = to_predict});
}
RecordOptions of_words(const Names& names, bool to_predict = false) {
  return reading({.of = LabelOf::word,
                  .label_field = "tags",
                  .words_field = "tokens",
                  .names = names,
                  .to_predict = to_predict});
}

class LabelRecordsTest : public testing::Test {
 protected:
  std::string path() const { return files_.path("records.jsonl"); }
  std::vector<Document> read(const std::string& records, const RecordOptions& options) {
    return documents_of({files_.add("records.jsonl", records)}, {.records = options});
  }
  TokenCorpus open(const std::string& records, const RecordOptions& options, const Tokenizer& tokenizer,
                   const fs::path& cache = {}) {
    return TokenCorpus::open({files_.add("records.jsonl", records)}, {.records = options}, tokenizer, cache);
  }
  Names find(const std::string& records, const RecordOptions& options) {
    return find_class_names({files_.add("records.jsonl", records)}, {.records = options});
  }
  void expect_bad(const std::string& record, const RecordOptions& options, const std::string& message) {
    EXPECT_ERROR(read(record, options), data, path() + ":1: " + message);
  }
  static std::vector<std::uint32_t> labels(const std::vector<Document>& documents) {
    std::vector<std::uint32_t> all;
    for (const Document& document : documents) {
      all.insert(all.end(), document.labels.begin(), document.labels.end());
    }
    return all;
  }

  CorpusFiles files_;
};

TEST_F(LabelRecordsTest, LabelsAreClassesByNameOrNumber) {
  const auto documents = read(
      "{\"text\": \"x\", \"label\": \"good\"}\n{\"text\": \"x\", \"label\": 1}\n"
      "{\"text\": \"x\", \"label\": false}\n{\"text\": \"x\", \"label\": true}\n",
      of_texts({"bad", "good"}));
  EXPECT_THAT(labels(documents), ElementsAre(1, 1, 0, 1));
  EXPECT_EQ(documents[0].kind, kLabelled);
  EXPECT_EQ(documents[0].text, "x");
  EXPECT_THAT(documents[0].sentences, ElementsAre(0));
  EXPECT_THAT(documents[0].class_names, IsEmpty());
}

// Where classes are called by numbers, a number is a name: 2 is not the third class here but the first.
TEST_F(LabelRecordsTest, NumbersThatAreNamesGoBefore) {
  const std::string two = "{\"text\": \"x\", \"label\": 2}", text = "{\"text\": \"x\", \"label\": \"4\"}";
  EXPECT_THAT(labels(read(two, of_texts({"2", "4", "x"}))), ElementsAre(0));
  EXPECT_THAT(labels(read(text, of_texts({"2", "4", "x"}))), ElementsAre(1));
  EXPECT_THAT(labels(read(two, of_texts({"a", "b", "x"}))), ElementsAre(2));
  expect_bad("{\"text\": \"x\", \"label\": 1}", of_texts({"2", "4", "x"}),
             "the label is no class of the model: found 1, expected one of 2, 4, x");
  expect_bad("{\"text\": \"x\", \"label\": 2}", of_texts({"-1", "1"}),
             "the label is no class of the model: found 2, expected one of -1, 1");
  EXPECT_THAT(labels(read("{\"text\": \"x\", \"label\": -1}", of_texts({"-1", "1"}))), ElementsAre(0));
}

TEST_F(LabelRecordsTest, LabelsThatAreNoClass) {
  const RecordOptions options = of_texts({"negative", "positive"});
  expect_bad("{\"text\": \"x\", \"label\": \"positiv\"}", options,
             "the label is no class of the model: found positiv, expected one of negative, positive; did you "
             "mean positive?");
  expect_bad("{\"text\": \"x\", \"label\": 2}", options,
             "the label is no class of the model: found 2, expected one of negative, positive");
  expect_bad("{\"text\": \"x\", \"label\": -1}", options,
             "the label is no class of the model: found -1, expected one of negative, positive");
  expect_bad("{\"text\": \"x\", \"label\": 18446744073709551615}", options,
             "the label is no class of the model: found 18446744073709551615, expected one of negative, "
             "positive");
  expect_bad("{\"text\": \"x\", \"label\": 0.5}", options,
             "the label is no class: found 0.5, expected a name or a whole number; objective regression "
             "predicts numbers");
  expect_bad("{\"text\": \"x\", \"label\": null}", options,
             "the label is no class: found null, expected a name or a whole number");
  expect_bad("{\"text\": \"x\", \"label\": [1]}", options,
             "the label is no class: found array, expected a name or a whole number");
  Names many;
  for (int i = 0; i < 30; ++i) many.push_back("c" + std::to_string(i));
  EXPECT_ERROR(read("{\"text\": \"x\", \"label\": \"zzzzzz\"}", of_texts(many)), data,
               HasSubstr("expected one of c0, c1, c2"));
  EXPECT_ERROR(read("{\"text\": \"x\", \"label\": \"zzzzzz\"}", of_texts(many)), data,
               testing::AllOf(HasSubstr("c18, c19, ..."), testing::Not(HasSubstr("c20"))));
}

TEST_F(LabelRecordsTest, FieldsMayLieDeepAndHaveOtherNames) {
  LabelOptions options{.label_field = "gold.class", .pair_field = "b.text", .names = {"no", "yes"}};
  const auto documents =
      read("{\"text\": \"one\", \"b\": {\"text\": \"two\"}, \"gold\": {\"class\": \"yes\"}, \"label\": 7}",
           reading(options));
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].text, "onetwo");
  EXPECT_THAT(documents[0].sentences, ElementsAre(0, 3));
  EXPECT_THAT(documents[0].labels, ElementsAre(1));
  CorpusOptions corpus{.field = "q.a", .records = reading({.names = {"no", "yes"}})};
  const std::string file = files_.add("deep.jsonl", "{\"q\": {\"a\": \"x\"}, \"label\": 0}");
  EXPECT_EQ(documents_of({file}, corpus).at(0).text, "x");
}

TEST_F(LabelRecordsTest, WhatIsMissingIsNamed) {
  LabelOptions pair{.pair_field = "second", .names = {"no", "yes"}};
  expect_bad("{\"text\": \"x\"}", of_texts({"no", "yes"}), "the record has no field \"label\": found text");
  expect_bad("{\"label\": 0}", of_texts({"no", "yes"}), "the record has no field \"text\": found label");
  expect_bad("{\"text\": \"x\", \"label\": 0}", reading(pair),
             "the record has no field \"second\": found label, text");
  expect_bad("{\"text\": 3, \"label\": 0}", of_texts({"no", "yes"}),
             "field \"text\" of the record is no text: found number, expected a string");
  expect_bad("{\"x\": 1}", of_texts({"no", "yes"}),
             "the record is of no kind that is read: found x, expected a labelled text (fields \"text\" and "
             "\"label\")");
  expect_bad("{\"x\": 1}", reading(pair),
             "the record is of no kind that is read: found x, expected a labelled text (fields \"text\", "
             "\"second\" and \"label\")");
  expect_bad(
      "{\"x\": 1}", of_words({"O"}),
      "the record is of no kind that is read: found x, expected a labelled text (fields \"tokens\" and "
      "\"tags\")");
}

// Files of texts to be predicted have none, or such as -1.
TEST_F(LabelRecordsTest, LabelsThatArePredictedAreNotRead) {
  const auto documents = read(
      "{\"text\": \"a\"}\n{\"text\": \"b\", \"label\": null}\n{\"text\": \"c\", \"label\": -1}\n"
      "{\"text\": \"d\", \"label\": \"yes\"}\n",
      of_texts({"no", "yes"}, true));
  ASSERT_EQ(documents.size(), 4u);
  EXPECT_THAT(labels(documents), IsEmpty());
  const auto words = read(
      "{\"tokens\": [\"a\", \"b\"]}\n{\"tokens\": [\"a\"], \"tags\": [\"Z\", 1]}\n{\"tokens\": []}\n"
      "{\"tokens\": [\"c\"]}\n",
      of_words({"O", "X"}, true));
  EXPECT_THAT(labels(words), IsEmpty());
  EXPECT_EQ(words.at(0).sentences.size(), 2u);
  expect_bad("{\"tags\": [0]}", of_words({"O", "X"}, true), "the record has no field \"tokens\": found tags");
  expect_bad("{\"tokens\": [\"a\", \"b\"]}", of_words({"O", "X"}),
             "the record has no field \"tags\": found tokens");
}

TEST_F(LabelRecordsTest, NumbersAreLabelsOfARegression) {
  const RecordOptions options = reading({.of = LabelOf::number});
  const auto documents = read(
      "{\"text\": \"x\", \"label\": 2.5}\n{\"text\": \"x\", \"label\": -3}\n{\"text\": \"x\", \"label\": "
      "0}\n",
      options);
  std::vector<float> values;
  for (std::uint32_t label : labels(documents)) values.push_back(std::bit_cast<float>(label));
  EXPECT_THAT(values, ElementsAre(2.5f, -3.0f, 0.0f));
  const std::string message = "the label of a regression is no number: found ";
  expect_bad("{\"text\": \"x\", \"label\": null}", options, message + "null, expected a number");
  expect_bad("{\"text\": \"x\", \"label\": \"2.5\"}", options, message + "string, expected a number");
  expect_bad("{\"text\": \"x\", \"label\": true}", options, message + "boolean, expected a number");
  expect_bad("{\"text\": \"x\", \"label\": 1e39}", options, message + "1e+39, expected a number");
  expect_bad("{\"text\": \"x\", \"label\": 1e999}", options, message + "null, expected a number");
  EXPECT_ERROR(read("{\"text\": \"x\", \"label\": NaN}", options), data, HasSubstr(path() + ":1, byte "));
}

TEST_F(LabelRecordsTest, EveryWordHasALabel) {
  const RecordOptions options = of_words({"O", "B-X"});
  const auto documents = read(
      "{\"tokens\": [\"New\", \"York\", \"is\"], \"tags\": [\"B-X\", -100, 0]}\n"
      "{\"tokens\": [\"it\"], \"tags\": [\"O\"]}\n",
      options);
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].text, "New York is");
  EXPECT_THAT(documents[0].sentences, ElementsAre(0, 4, 9));
  EXPECT_THAT(documents[0].labels, ElementsAre(1, kNoLabel, 0));
  expect_bad("{\"tokens\": [\"a\", \"b\"], \"tags\": [0]}", options,
             "there are not as many labels as words: found 2 words and 1 labels");
  expect_bad("{\"tokens\": \"a b\", \"tags\": [0]}", options,
             "field \"tokens\" of the record is no list: found string, expected an array");
  expect_bad("{\"tokens\": [\"a\"], \"tags\": 0}", options,
             "field \"tags\" of the record is no list: found number, expected an array");
  expect_bad("{\"tokens\": [1], \"tags\": [0]}", options,
             "a word of the record is no text: found number, expected a string");
  expect_bad("{\"tokens\": [\"a\"], \"tags\": [\"B-Y\"]}", options,
             "the label is no class of the model: found B-Y, expected one of O, B-X; did you mean B-X?");
  // As any text without a word, it is left out.
  EXPECT_EQ(
      read("{\"tokens\": [], \"tags\": []}\n{\"tokens\": [\"a\"], \"tags\": [0]}", options).back().labels,
      std::vector<std::uint32_t>{0});
}

TEST_F(LabelRecordsTest, ClassNamesAreFoundInTheRecords) {
  const auto text = [](const std::string& label) { return "{\"text\": \"x\", \"label\": " + label + "}\n"; };
  EXPECT_THAT(find(text("10") + text("2") + text("\"1\"") + text("2"), of_texts({})),
              ElementsAre("1", "2", "10"));
  EXPECT_THAT(find(text("\"b\"") + text("\"a\"") + text("\"B\"") + text("10") + text("2"), of_texts({})),
              ElementsAre("10", "2", "B", "a", "b"));
  EXPECT_THAT(find(text("true") + text("false"), of_texts({})), ElementsAre("false", "true"));
  EXPECT_THAT(find("{\"tokens\": [\"a\", \"b\", \"c\"], \"tags\": [\"O\", -100, \"B-X\"]}", of_words({})),
              ElementsAre("B-X", "O"));
}

TEST_F(LabelRecordsTest, ClassesThatAreNoneToTellApart) {
  const auto text = [](const std::string& label) { return "{\"text\": \"x\", \"label\": " + label + "}\n"; };
  EXPECT_ERROR(find(text("\"a\"") + text("\"a\""), of_texts({})), data,
               path() +
                   ": a classifier tells classes apart, and there is one alone: found a; name all classes by "
                   "the objective's key `labels`, or look at its key `label_field`");
  EXPECT_ERROR(find("{\"tokens\": [\"a\"], \"tags\": [-100]}", of_words({})), data,
               HasSubstr("there is one alone: found none"));
  std::string many, most;
  for (int i = 0; i < 4097; ++i) {
    many += text(std::to_string(i));
    if (i < 4096) most += text(std::to_string(i));
  }
  EXPECT_EQ(find(most, of_texts({})).size(), 4096u);
  EXPECT_ERROR(find(many, of_texts({})), data,
               path() +
                   ": the labels are too many to be classes: found more than 4096; objective regression "
                   "predicts numbers");
}

TEST_F(LabelRecordsTest, TextsAreEncodedEachAlone) {
  LabelOptions options{.pair_field = "second", .names = {"no", "yes"}};
  const Tokenizer tokenizer = tokenizer_of(byte_level_json());
  const TokenCorpus corpus =
      open("{\"text\": \"ab\", \"second\": \"cde\", \"label\": 1}", reading(options), tokenizer);
  ASSERT_EQ(corpus.documents(kLabelled), 1u);
  const TokenDocument document = corpus.document(0);
  EXPECT_EQ(tokenizer.decode(document.part(0)), "ab");
  EXPECT_EQ(tokenizer.decode(document.part(1)), "cde");
  EXPECT_THAT(document.labels, ElementsAre(1));
  EXPECT_EQ(corpus.report().labelled, 1u);
  EXPECT_THAT(to_text(corpus.report()), HasSubstr("1 document (1 labelled text)"));
}

// A byte-level token holds the blank before its word.
TEST_F(LabelRecordsTest, ATokenWithTheBlankBelongsToTheWordBehindIt) {
  const Tokenizer tokenizer = tokenizer_of(byte_level_json({{"a", "b"}, {"\u0120", "a"}}));
  const TokenCorpus corpus =
      open("{\"tokens\": [\"ab\", \"ac\", \"b\"], \"tags\": [0, 1, -100]}", of_words({"O", "X"}), tokenizer);
  const TokenDocument document = corpus.document(0);
  EXPECT_EQ(tokenizer.decode(document.tokens), "ab ac b");
  ASSERT_EQ(document.tokens.size(), 5u);  // "ab", " a", "c", " ", "b"
  EXPECT_THAT(document.sentences, ElementsAre(0, 1, 3));
  EXPECT_THAT(document.labels, ElementsAre(0, 1, kNoLabel));
}

// It begins where the next does.
TEST_F(LabelRecordsTest, AWordMayHaveNoToken) {
  const Tokenizer tokenizer = tokenizer_of(wordpiece_json());
  const std::string record =
      "{\"tokens\": [\"\\u00ad\", \"abab\", \"\\u200b\", \"b.\", \"\\u00ad\"], \"tags\": [1, 2, 1, 0, 1]}";
  const TokenCorpus corpus = open(record, of_words({"O", "Y", "X"}), tokenizer);
  const TokenDocument document = corpus.document(0);
  EXPECT_EQ(tokenizer.token(document.tokens[1]), "##ab");
  ASSERT_EQ(document.tokens.size(), 4u);
  EXPECT_THAT(document.sentences, ElementsAre(0, 0, 2, 2, 4));
  EXPECT_THAT(document.labels, ElementsAre(1, 2, 1, 0, 1));
  for (std::size_t word : {0, 2, 4}) EXPECT_THAT(document.part(word), IsEmpty()) << word;
  EXPECT_EQ(document.part(1).size(), 2u);
}

TEST_F(LabelRecordsTest, TheCacheKeepsLabels) {
  const Tokenizer tokenizer = tokenizer_of(byte_level_json());
  const fs::path cache = files_.path("cache");
  const std::string records =
      "{\"tokens\": [\"ab\", \"c\"], \"tags\": [1, -100]}\n{\"tokens\": [\"d\"], \"tags\": [0]}\n";
  const TokenCorpus built = open(records, of_words({"O", "X"}), tokenizer, cache);
  int calls = 0;
  const TokenCorpus mapped = TokenCorpus::open({path()}, {.records = of_words({"O", "X"})}, tokenizer, cache,
                                               [&](auto, auto) { ++calls; });
  EXPECT_EQ(calls, 0);
  for (const TokenCorpus& corpus : {built, mapped}) {
    ASSERT_EQ(corpus.documents(), 2u);
    EXPECT_THAT(corpus.document(0).labels, ElementsAre(1, kNoLabel));
    EXPECT_THAT(corpus.document(0).sentences, ElementsAre(0, 2));
    EXPECT_THAT(corpus.document(1).labels, ElementsAre(0));
    EXPECT_EQ(corpus.document(1).tokens.size(), 1u);
  }
}

TEST_F(LabelRecordsTest, TheCacheKnowsHowLabelsAreRead) {
  const Tokenizer tokenizer = tokenizer_of(byte_level_json());
  const std::string record =
      "{\"text\": \"x\", \"b\": \"y\", \"label\": 1, \"other\": 1, \"tokens\": [\"z\"]}";
  std::set<std::string> prints;
  const auto add = [&](const LabelOptions& labels) {
    return prints.insert(open(record, reading(labels), tokenizer, files_.path("cache")).fingerprint()).second;
  };
  EXPECT_TRUE(add({.names = {"a", "b"}}));
  EXPECT_FALSE(add({.names = {"a", "b"}}));
  EXPECT_TRUE(add({.names = {"b", "a"}}));
  EXPECT_TRUE(add({.names = {"a", "b", "c"}}));
  EXPECT_TRUE(add({.label_field = "other", .names = {"a", "b"}}));
  EXPECT_TRUE(add({.pair_field = "b", .names = {"a", "b"}}));
  EXPECT_TRUE(add({.names = {"a", "b"}, .to_predict = true}));
  EXPECT_TRUE(add({.of = LabelOf::number}));
}

// What stands behind a record's sentences is checked before a token file is used.
TEST_F(LabelRecordsTest, RecordsOfATokenFileAreChecked) {
  const fs::path path = files_.path("x.tokens");
  const ContentHash key{.high = 1, .low = 2};
  const auto opens = [&](DocumentKind kind, std::vector<std::uint32_t> sentences,
                         std::vector<std::uint32_t> labels, std::uint8_t marks = 0) {
    TokenFileWriter writer(path);
    writer.add({.tokens = {1, 2, 3},
                .sentences = std::move(sentences),
                .labels = std::move(labels),
                .kind = kind,
                .marks = marks});
    writer.commit(key, {});
    return TokenFile::open(path, key, 1).has_value();
  };
  EXPECT_TRUE(opens(kLabelled, {0}, {}));
  EXPECT_TRUE(opens(kLabelled, {0}, {7}));
  EXPECT_TRUE(opens(kLabelled, {0, 2}, {7}));
  EXPECT_TRUE(opens(kLabelled, {0, 1, 2}, {7, kNoLabel, 0}));
  EXPECT_FALSE(opens(kLabelled, {0, 1, 2}, {7, 0}));
  EXPECT_FALSE(opens(kLabelled, {0}, {7, 0}));
  EXPECT_FALSE(opens(kLabelled, {}, {}));
  EXPECT_FALSE(opens(kLabelled, {0}, {7}, PairMark::chat));
  EXPECT_FALSE(opens(DocumentKind::text, {0}, {7}));
  EXPECT_FALSE(opens(DocumentKind::pair, {0, 1}, {7}));
  EXPECT_FALSE(opens(DocumentKind::choice, {0, 1, 2}, {7}));
}

// Labels that would lie beyond the file's words.
TEST_F(LabelRecordsTest, ARecordBeyondItsTokenFileIsNotUsed) {
  const fs::path path = files_.path("x.tokens");
  const ContentHash key{.high = 1, .low = 2};
  TokenFileWriter writer(path);
  writer.add({.tokens = {1, 2, 3}, .sentences = {0, 1}, .labels = {0}, .kind = kLabelled});
  writer.commit(key, {});
  ASSERT_TRUE(TokenFile::open(path, key, 1).has_value());
  std::string bytes = read_file(path);
  constexpr std::size_t kTrailer = 136;
  const std::size_t record = bytes.size() - kTrailer - sizeof(TokenRecord);
  const std::uint32_t labels = 2;  // as many as sentences, but one word is missing for them
  std::memcpy(bytes.data() + record + offsetof(TokenRecord, labels), &labels, sizeof labels);
  ContentHasher hasher;
  hasher.add(std::string_view(bytes).substr(0, bytes.size() - kTrailer));
  const ContentHash content = hasher.finish();
  std::memcpy(bytes.data() + bytes.size() - 8 - sizeof content, &content, sizeof content);
  const std::uint64_t hash = XXH3_64bits(bytes.data() + bytes.size() - kTrailer, kTrailer - 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &hash, sizeof hash);
  write_bytes(path, bytes);
  EXPECT_FALSE(TokenFile::open(path, key, 1).has_value());
}

TEST(LabelsFromIds, AreKept) {
  const TokenCorpus corpus = TokenCorpus::from_ids(
      {{.tokens = {5, 6, 7}, .sentences = {0, 2}, .bytes = 0, .kind = kLabelled, .labels = {1, kNoLabel}},
       {.tokens = {8}, .sentences = {0}, .bytes = 0, .kind = kLabelled, .labels = {3}}});
  EXPECT_THAT(corpus.document(0).labels, ElementsAre(1, kNoLabel));
  EXPECT_THAT(corpus.document(1).labels, ElementsAre(3));
  EXPECT_THAT(corpus.document(1).tokens, ElementsAre(8));
}

TEST(LabelsFromIds, TextsAndWordsMayBeEmpty) {
  const auto of = [](std::vector<std::uint32_t> sentences) {
    return TokenCorpus::from_ids(
        {{.tokens = {5, 6}, .sentences = std::move(sentences), .bytes = 0, .kind = kLabelled}});
  };
  EXPECT_THAT(of({0, 0}).document(0).part(0), IsEmpty());
  EXPECT_THAT(of({0, 2}).document(0).part(1), IsEmpty());
  const char* message = "document 0: sentences must begin at 0, ascend, and begin at a token";
  EXPECT_ERROR(of({0, 3}), data, message);
  EXPECT_ERROR(of({0, 1, 0}), data, message);
  EXPECT_ERROR(of({1}), data, message);
}

}  // namespace
}  // namespace surprisal
