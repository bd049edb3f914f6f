// Labels of texts and words: every array, worked out by hand.
#include "objective/classification.h"

#include <bit>
#include <fstream>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objective/mixture.h"
#include "objective/records.h"
#include "stream/check.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;
using Labels = std::vector<Label>;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A text, or two, and its labels.
TokenCorpus::Ids labelled(const std::vector<Ids>& parts, std::vector<std::uint32_t> labels) {
  TokenCorpus::Ids document;
  document.kind = DocumentKind::labelled;
  document.labels = std::move(labels);
  for (const Ids& part : parts) {
    document.sentences.push_back(static_cast<std::uint32_t>(document.tokens.size()));
    document.tokens.insert(document.tokens.end(), part.begin(), part.end());
  }
  return document;
}
std::uint32_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

ObjectiveOptions three_classes(const std::string& layout = "auto") {
  ObjectiveOptions options;
  for (LabelledOptions* own : {&options.classification, &options.token_classification, &options.regression}) {
    own->layout = layout;
    if (own != &options.regression) own->labels = {"no", "maybe", "yes"};
  }
  return options;
}
ObjectiveOptions with_second(ObjectiveOptions options) {
  options.classification.pair_field = options.regression.pair_field = "second";
  return options;
}

Stream build(const std::string& name, const TokenCorpus::Ids& document, const Tokenizer& tokenizer,
             std::int64_t length = 16, const ObjectiveOptions& options = three_classes()) {
  const Mixture mixture(name, options, tokenizer, length);
  const auto samples = samples_of(TokenCorpus::from_ids({document}), mixture);
  EXPECT_EQ(samples.size(), 1u);
  const Stream& sample = samples.front();
  check_stream(
      sample,
      {.vocabulary = 100, .positions = length, .segments = 2, .classes = mixture.classes(), .targets = false},
      "sample");
  EXPECT_EQ(sample.sequence.size(), 1u);
  EXPECT_TRUE(sample.target.empty());
  EXPECT_TRUE(sample.choice.empty());
  EXPECT_THAT(sample.block_position, Each(0));
  return sample;
}

// The row of [CLS], which sees everything, stands for the text.
TEST(Classification, AnEncoderReadsItsFirstRow) {
  const Stream sample = build("classification", labelled({{11, 12, 13}}, {2}), word_tokenizer());
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, 13, kSep}));
  EXPECT_EQ(sample.position, (Ids{0, 1, 2, 3, 4}));
  EXPECT_THAT(sample.segment, Each(0));
  EXPECT_THAT(sample.visible, Each(Interval{0, 5}));
  EXPECT_EQ(sample.label, (Labels{{0, 2, 1}}));
}

// The last row, the one that has seen everything.
TEST(Classification, ADecoderReadsItsLastRow) {
  const Stream sample = build("classification", labelled({{11, 12, 13}}, {1}), text_tokenizer());
  EXPECT_EQ(sample.token, (Ids{11, 12, 13}));
  EXPECT_EQ(sample.visible, (std::vector<Interval>{{0, 1}, {0, 2}, {0, 3}}));
  EXPECT_EQ(sample.label, (Labels{{2, 1, 1}}));
  const Mixture mixture("classification", three_classes(), text_tokenizer(), 16);
  EXPECT_TRUE(mixture.decoder());
  EXPECT_FALSE(Mixture("classification", three_classes(), word_tokenizer(), 16).decoder());
}

TEST(Classification, TheLayoutCanBeChosen) {
  const auto document = labelled({{11, 12}}, {0});
  const Stream decoder = build("classification", document, word_tokenizer(), 16, three_classes("decoder"));
  EXPECT_EQ(decoder.token, (Ids{kCls, 11, 12, kSep}));
  EXPECT_EQ(decoder.visible, (std::vector<Interval>{{0, 1}, {0, 2}, {0, 3}, {0, 4}}));
  EXPECT_EQ(decoder.label, (Labels{{3, 0, 1}}));
  const Stream encoder = build("classification", document, text_tokenizer(), 16, three_classes("encoder"));
  EXPECT_EQ(encoder.token, (Ids{11, 12}));
  EXPECT_THAT(encoder.visible, Each(Interval{0, 2}));
  EXPECT_EQ(encoder.label, (Labels{{0, 0, 1}}));
  for (const char* name : {"classification", "regression", "token_classification"}) {
    EXPECT_ERROR(Mixture(name, three_classes("encode"), word_tokenizer(), 16), usage,
                 testing::AllOf(HasSubstr("objective." + std::string(name) + ".layout"), HasSubstr("encode"),
                                HasSubstr("encoder")));
  }
}

TEST(Classification, TwoTextsStandInTheTemplateOfPairs) {
  const Stream sample = build("classification", labelled({{11, 12}, {21}}, {1}), word_tokenizer(), 16,
                              with_second(three_classes()));
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, kSep, 21, kSep}));
  EXPECT_EQ(sample.segment, (Ids{0, 0, 0, 0, 1, 1}));
  EXPECT_THAT(sample.visible, Each(Interval{0, 6}));
  EXPECT_EQ(sample.label, (Labels{{0, 1, 1}}));
  const Stream decoder = build("classification", labelled({{11, 12}, {21}}, {1}), text_tokenizer(), 16,
                               with_second(three_classes()));
  EXPECT_EQ(decoder.token, (Ids{11, 12, 21}));
  EXPECT_THAT(decoder.segment, Each(0));  // a decoder has none
  EXPECT_EQ(decoder.label, (Labels{{2, 1, 1}}));
}

// A model must tell the texts apart only where the template does.
TEST(Classification, SegmentsAreThoseOfTheTemplate) {
  EXPECT_EQ(Mixture("classification", three_classes(), word_tokenizer(), 16).segments(), 1);
  EXPECT_EQ(Mixture("classification", with_second(three_classes()), word_tokenizer(), 16).segments(), 2);
  EXPECT_EQ(Mixture("classification", with_second(three_classes()), text_tokenizer(), 16).segments(), 1);
  EXPECT_EQ(Mixture("nsp", {}, word_tokenizer(), 16).segments(), 2);
}

// transformers' longest_first: tokens go one by one from the end of whichever text is longer.
TEST(Classification, TheLongerTextLosesItsEnd) {
  const auto cut = [](const Ids& a, const Ids& b, std::int64_t length) {
    return build("classification", labelled({a, b}, {0}), word_tokenizer(), length,
                 with_second(three_classes()))
        .token;
  };
  EXPECT_EQ(cut({11, 12, 13, 14, 15, 16}, {21, 22}, 8), (Ids{kCls, 11, 12, 13, kSep, 21, 22, kSep}));
  EXPECT_EQ(cut({11, 12}, {21, 22, 23, 24, 25}, 8), (Ids{kCls, 11, 12, kSep, 21, 22, 23, kSep}));
  EXPECT_EQ(cut({11, 12, 13, 14}, {21, 22, 23, 24}, 9), (Ids{kCls, 11, 12, 13, kSep, 21, 22, 23, kSep}));
  EXPECT_EQ(cut({11, 12, 13, 14}, {21, 22, 23, 24}, 8), (Ids{kCls, 11, 12, 13, kSep, 21, 22, kSep}));
  EXPECT_EQ(cut({11, 12, 13}, {21, 22, 23}, 5), (Ids{kCls, 11, kSep, 21, kSep}));
  const Stream one = build("classification", labelled({{11, 12, 13, 14, 15}}, {1}), word_tokenizer(), 5);
  EXPECT_EQ(one.token, (Ids{kCls, 11, 12, 13, kSep}));
  EXPECT_EQ(one.label, (Labels{{0, 1, 1}}));
  const Stream decoder = build("classification", labelled({{11, 12, 13, 14, 15}}, {1}), text_tokenizer(), 3);
  EXPECT_EQ(decoder.token, (Ids{11, 12, 13}));
  EXPECT_EQ(decoder.label, (Labels{{2, 1, 1}}));
}

TEST(Classification, SaysHowManyTextsAreCut) {
  const TokenCorpus corpus =
      TokenCorpus::from_ids({labelled({{11, 12, 13, 14}}, {0}), labelled({{11, 12, 13, 14, 15}}, {0})});
  const auto remarks = [&](std::int64_t length) {
    return Mixture("classification", three_classes(), word_tokenizer(), length).remarks(corpus);
  };
  EXPECT_THAT(remarks(7), IsEmpty());
  EXPECT_THAT(remarks(6), ElementsAre(HasSubstr("1 of 2 texts is too long for a sequence of 6 and is cut at "
                                                "the end")));
  EXPECT_THAT(remarks(5), ElementsAre(HasSubstr("2 of 2 texts are too long")));
}

TEST(Classification, ATextToBePredictedWeighsNothing) {
  EXPECT_EQ(build("classification", labelled({{11, 12}}, {}), word_tokenizer()).label, (Labels{{0, 0, 0}}));
  EXPECT_EQ(build("regression", labelled({{11, 12}}, {}), text_tokenizer()).label, (Labels{{1, 0, 0}}));
  EXPECT_EQ(build("token_classification", labelled({{11}, {12, 13}}, {}), word_tokenizer()).label,
            (Labels{{1, 0, 0}, {2, 0, 0}}));
}

TEST(Classification, ANumberIsTheLabelOfARegression) {
  const Stream encoder = build("regression", labelled({{11, 12}}, {bits(2.5f)}), word_tokenizer());
  EXPECT_EQ(encoder.label, (Labels{{0, 0, 1, 2.5f}}));
  const Stream decoder = build("regression", labelled({{11, 12}, {21}}, {bits(-0.25f)}), text_tokenizer(), 16,
                               with_second(three_classes()));
  EXPECT_EQ(decoder.token, (Ids{11, 12, 21}));
  EXPECT_EQ(decoder.label, (Labels{{2, 0, 1, -0.25f}}));
}

// A word's label stands on its first token.
TEST(Classification, WordsHaveALabelEach) {
  const auto document = labelled({{11, 12}, {13}, {14}}, {1, kNoLabel, 2});
  const Stream encoder = build("token_classification", document, word_tokenizer());
  EXPECT_EQ(encoder.token, (Ids{kCls, 11, 12, 13, 14, kSep}));
  EXPECT_THAT(encoder.segment, Each(0));
  EXPECT_THAT(encoder.visible, Each(Interval{0, 6}));
  EXPECT_EQ(encoder.label, (Labels{{1, 1, 1}, {4, 2, 1}}));
  const Stream decoder = build("token_classification", document, text_tokenizer());
  EXPECT_EQ(decoder.token, (Ids{11, 12, 13, 14}));
  EXPECT_EQ(decoder.visible, (std::vector<Interval>{{0, 1}, {0, 2}, {0, 3}, {0, 4}}));
  EXPECT_EQ(decoder.label, (Labels{{0, 1, 1}, {3, 2, 1}}));
}

// Two words are not two texts.
TEST(Classification, TwoWordsAreOneText) {
  const Stream sample = build("token_classification", labelled({{11}, {12}}, {0, 1}), word_tokenizer());
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, kSep}));
  EXPECT_EQ(sample.label, (Labels{{1, 0, 1}, {2, 1, 1}}));
}

TEST(Classification, WordsBeyondTheSequenceAreNotScored) {
  const auto document = labelled({{11, 12}, {13, 14}, {15}}, {0, 1, 2});
  const Stream sample = build("token_classification", document, word_tokenizer(), 5);
  EXPECT_EQ(sample.token, (Ids{kCls, 11, 12, 13, kSep}));
  EXPECT_EQ(sample.label,
            (Labels{{1, 0, 1}, {3, 1, 1}}));  // the second word is cut, but its first token stays
  const Stream first =
      build("token_classification", labelled({{11, 12, 13}, {14}}, {2, 1}), word_tokenizer(), 5);
  EXPECT_EQ(first.token, (Ids{kCls, 11, 12, 13, kSep}));
  EXPECT_EQ(first.label, (Labels{{1, 2, 1}}));
}

// A word of which the tokenizer makes nothing has no row.
TEST(Classification, AWordWithoutATokenIsNotScored) {
  const Stream sample =
      build("token_classification", labelled({{}, {11}, {}, {12}, {}}, {1, 2, 1, 0, 1}), word_tokenizer());
  EXPECT_EQ(sample.label, (Labels{{1, 2, 1}, {2, 0, 1}}));
}

// As one of two texts may have.
TEST(Classification, OneOfTwoTextsMayBeEmpty) {
  const Stream sample =
      build("classification", labelled({{}, {21}}, {1}), word_tokenizer(), 16, with_second(three_classes()));
  EXPECT_EQ(sample.token, (Ids{kCls, kSep, 21, kSep}));
  EXPECT_EQ(sample.label, (Labels{{0, 1, 1}}));
}

TEST(Classification, SaysWhatItsClassesAre) {
  const Mixture texts("classification", three_classes(), word_tokenizer(), 16);
  EXPECT_EQ(texts.classes(), 3);
  EXPECT_EQ(texts.classifier(), Classifier::text);
  EXPECT_THAT(texts.class_names(), ElementsAre("no", "maybe", "yes"));
  EXPECT_THAT(texts.kinds(), ElementsAre(DocumentKind::labelled));
  EXPECT_TRUE(texts.has_labels());
  EXPECT_FALSE(texts.has_tokens());
  const Mixture words("token_classification", three_classes(), word_tokenizer(), 16);
  EXPECT_EQ(words.classes(), 3);
  EXPECT_EQ(words.classifier(), Classifier::word);
  const Mixture numbers("regression", three_classes(), word_tokenizer(), 16);
  EXPECT_EQ(numbers.classes(), 1);
  EXPECT_EQ(numbers.classifier(), Classifier::number);
  EXPECT_THAT(numbers.class_names(), IsEmpty());
  EXPECT_EQ(Mixture("nsp", {}, word_tokenizer(), 16).classifier(), Classifier::none);
  EXPECT_THAT(Mixture("nsp", {}, word_tokenizer(), 16).class_names(), ElementsAre("next", "random"));
  EXPECT_THAT(Mixture("mlm + sop", {}, word_tokenizer(), 16).class_names(),
              ElementsAre("in order", "swapped"));
  EXPECT_THAT(Mixture("mlm", {}, word_tokenizer(), 16).class_names(), IsEmpty());
}

Ids::size_type count_labels(const ObjectiveOptions& options) {
  return options.classification.labels.size() + options.token_classification.labels.size() +
         options.regression.labels.size();
}

// Names of the options go before those of a model, and these before those of the data.
TEST(NameClasses, WhereTheyHaveNone) {
  const TemporaryDirectory directory;
  const std::string file = directory / "texts.jsonl";
  std::ofstream(file) << "{\"text\": \"w11\", \"kind\": \"b\"}\n{\"text\": \"w12\", \"kind\": \"a\"}\n";
  ObjectiveOptions options;
  options.classification.label_field = "kind";
  const auto named = [&](const std::vector<std::string>& known) {
    ObjectiveOptions made = options;
    name_classes({"classification"}, known, {file}, {}, made);
    EXPECT_THAT(made.token_classification.labels, IsEmpty());
    return made.classification.labels;
  };
  EXPECT_THAT(named({}), ElementsAre("a", "b"));
  EXPECT_THAT(named({"x", "y"}), ElementsAre("x", "y"));
  options.classification.labels = {"b", "a"};
  EXPECT_THAT(named({"x", "y"}), ElementsAre("b", "a"));
  ObjectiveOptions others;
  for (const char* objective : {"mlm + nsp", "causal", "regression"}) {
    name_classes({objective}, {}, {"no such file"}, {}, others);
    EXPECT_EQ(count_labels(others), 0u) << objective;
  }
  name_classes({"token_classification", "token_classification"}, {"O", "X"}, {}, {}, others);
  EXPECT_THAT(others.token_classification.labels, ElementsAre("O", "X"));
  EXPECT_ERROR(name_classes({"classification", "regression"}, {}, {file}, {}, others), usage,
               "one model has one classifier: found classification, regression");
}

// It has the place of the vocabulary head.
TEST(Classification, StandsAlone) {
  const auto refused = [](const std::string& specification, const std::string& name) {
    EXPECT_ERROR(Mixture(specification, three_classes(), full_tokenizer(), 16), usage,
                 testing::AllOf(HasSubstr(name + " cannot be trained with another objective"),
                                HasSubstr("its classifier stands in place of the vocabulary head")));
  };
  refused("mlm + classification", "classification");
  refused("classification + mlm", "classification");
  refused("mlm | classification", "classification");
  refused("0.5 regression | 0.5 causal", "regression");
  refused("classification | token_classification", "classification");
  refused("classification | classification", "classification");
}

TEST(Classification, ASequenceHasRoomForATokenOfEachText) {
  EXPECT_EQ(build("classification", labelled({{11, 12, 13}}, {0}), word_tokenizer(), 5).size(), 5);
  EXPECT_ERROR(Mixture("classification", three_classes(), word_tokenizer(), 4), usage,
               HasSubstr("classification"));
  EXPECT_ERROR(Mixture("classification", three_classes(), text_tokenizer(), 1), usage,
               HasSubstr("classification"));
  EXPECT_EQ(build("classification", labelled({{11, 12, 13}}, {0}), text_tokenizer(), 2).token, (Ids{11, 12}));
}

TEST(Classification, ReadsLabelledTexts) {
  const Mixture mixture("classification", three_classes(), word_tokenizer(), 16);
  EXPECT_ERROR(mixture.check_corpus(corpus_of({{11, 12}})), data,
               HasSubstr("the data hold nothing for objective \"classification\", which reads labelled "
                         "texts; give a .jsonl file of records with a text and its label"));
}

}  // namespace
}  // namespace surprisal
