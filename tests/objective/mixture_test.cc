#include "objective/mixture.h"

#include <map>

#include "tests/core/error_matchers.h"
#include "tests/objective/corpora.h"
#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

Mixture mix(const std::string& specification) {
  return Mixture(specification, {}, full_tokenizer(), 16);
}

TEST(Mixture, OneTerm) {
  Mixture mixture = mix(" causal ");
  ASSERT_EQ(mixture.parts().size(), 1u);
  EXPECT_EQ(mixture.specification(), " causal ");
  EXPECT_EQ(mixture.sequence_length(), 16);
  EXPECT_EQ(mixture.parts()[0].name, "causal");
  EXPECT_EQ(mixture.parts()[0].share, 1);
  EXPECT_EQ(mixture.parts()[0].token_weight(), 1);
  EXPECT_EQ(mixture.parts()[0].label_weight(), 0);
}

TEST(Mixture, ASumPutsTheTokenObjectiveFirst) {
  for (const char* written : {"mlm + 0.5 nsp", "0.5 nsp + mlm", "0.5nsp+mlm"}) {
    Mixture mixture = mix(written);
    ASSERT_EQ(mixture.parts().size(), 1u);
    ASSERT_EQ(mixture.parts()[0].terms.size(), 2u);
    EXPECT_EQ(mixture.parts()[0].terms[0].objective->traits().name, "mlm");
    EXPECT_EQ(mixture.parts()[0].name, written);
    EXPECT_EQ(mixture.parts()[0].token_weight(), 1);
    EXPECT_EQ(mixture.parts()[0].label_weight(), 0.5);
  }
}

TEST(Mixture, TheFirstNumberOfAMixedPartIsItsShare) {
  Mixture mixture = mix("0.25 causal |  2.75 1e-3 mlm + 2 nsp|1reverse");
  ASSERT_EQ(mixture.parts().size(), 3u);
  EXPECT_EQ(mixture.parts()[0].share, 0.0625);
  EXPECT_EQ(mixture.parts()[1].share, 0.6875);
  EXPECT_EQ(mixture.parts()[2].share, 0.25);
  EXPECT_EQ(mixture.parts()[0].name, "causal");
  EXPECT_EQ(mixture.parts()[1].name, "1e-3 mlm + 2 nsp");
  EXPECT_EQ(mixture.parts()[2].name, "reverse");
  EXPECT_EQ(mixture.parts()[0].token_weight(), 1);
  EXPECT_EQ(mixture.parts()[1].token_weight(), 1e-3);
  EXPECT_EQ(mixture.parts()[1].label_weight(), 2);
  EXPECT_EQ(mix("causal | reverse").parts()[1].share, 0.5);
}

TEST(Mixture, ANumberAloneIsAWeightWhereNothingIsMixed) {
  EXPECT_EQ(mix("0.5 causal").parts()[0].token_weight(), 0.5);
  EXPECT_EQ(mix("0.5 causal").parts()[0].share, 1);
  EXPECT_EQ(mix("0.5 causal").parts()[0].name, "0.5 causal");
  EXPECT_EQ(mix("3 0.5 causal").parts()[0].token_weight(), 0.5);
  EXPECT_EQ(mix("3 0.5 causal").parts()[0].share, 1);
}

TEST(Mixture, KnowsWhatItIs) {
  struct Case {
    const char* specification;
    bool tokens, labels, covers, decoder;
    std::int32_t classes;
  };
  for (const Case& c :
       {Case{"causal", true, false, true, true, 0}, Case{"reverse", true, false, true, true, 0},
        Case{"mlm", true, false, false, false, 0}, Case{"nsp", false, true, false, false, 2},
        Case{"sop", false, true, false, false, 2}, Case{"mlm + nsp", true, true, false, false, 2},
        Case{"causal | reverse", true, false, false, true, 0},
        Case{"causal | mlm", true, false, false, false, 0},
        Case{"nsp | causal", true, true, false, false, 2}}) {
    Mixture mixture = mix(c.specification);
    EXPECT_EQ(mixture.has_tokens(), c.tokens) << c.specification;
    EXPECT_EQ(mixture.has_labels(), c.labels) << c.specification;
    EXPECT_EQ(mixture.covers_text(), c.covers) << c.specification;
    EXPECT_EQ(mixture.decoder(), c.decoder) << c.specification;
    EXPECT_EQ(mixture.classes(), c.classes) << c.specification;
  }
}

TEST(Mixture, PartsAreDrawnByTheirShares) {
  TokenCorpus corpus = random_corpus(4000, 200, 100);
  std::map<std::int32_t, double> parts;
  double all = 0;
  for (const Stream& sample : samples_of(corpus, mix("0.5 causal | 0.2 reverse | 0 nsp | 0.3 mlm"))) {
    std::int32_t part = sample.sequence[0].part;
    ++parts[part];
    ++all;
    if (part == 3) {
      EXPECT_EQ(sample.visible[0].end, sample.size());
    } else {
      EXPECT_EQ(sample.visible[0].end, 1);
    }
  }
  ASSERT_GT(all, 20000);
  EXPECT_TRUE(within_three_sigma(parts[0], all, 0.5)) << parts[0] / all;
  EXPECT_TRUE(within_three_sigma(parts[1], all, 0.2)) << parts[1] / all;
  EXPECT_EQ(parts[2], 0);
  EXPECT_TRUE(within_three_sigma(parts[3], all, 0.3)) << parts[3] / all;
}

TEST(Mixture, ASampleIsAFunctionOfItsKeyAndCursor) {
  TokenCorpus corpus = random_corpus(20, 300, 100);
  Mixture mixture = mix("0.5 causal | 0.5 mlm + nsp");
  SampleKey key{.seed = 3, .epoch = 2, .document = 7, .index = 5};
  Stream first, again;
  std::int64_t next = mixture.build(corpus, key, 1, first);
  samples_of(corpus, mixture);
  EXPECT_EQ(mix("0.5 causal | 0.5 mlm + nsp").build(corpus, key, 1, again), next);
  EXPECT_EQ(first, again);
  EXPECT_EQ(first.sequence[0].sample, key.sample());
  EXPECT_EQ(first.sequence[0].document, 7u);
  EXPECT_EQ(first.sequence[0].epoch, 2u);
}

// In a mixture the parts share a document's cursor: each sample goes on where the last one ended, whoever
// made it.
TEST(Mixture, EveryTokenIsOfOneSample) {
  TokenCorpus corpus = random_corpus(50, 500, 100);
  Mixture mixture = mix("causal | reverse | mlm");
  std::map<std::uint64_t, std::size_t> seen;
  for (const Stream& sample : samples_of(corpus, mixture)) {
    std::size_t ends = 0;
    for (const Target& target : sample.target) ends += target.id == kSep;
    bool masked = sample.sequence[0].part == 2;
    seen[sample.sequence[0].document] += masked ? sample.token.size() - 2 : sample.target.size() - ends;
  }
  for (std::uint64_t document = 0; document < corpus.documents(); ++document) {
    EXPECT_EQ(seen[document], corpus.document(document).tokens.size());
  }
}

TEST(Mixture, RefusesBadSyntaxWithThePlace) {
  EXPECT_ERROR(
      mix(""), usage,
      "objective \"\", column 1: there is no objective here: found the end, expected the name of one");
  EXPECT_ERROR(
      mix("mlm +"), usage,
      "objective \"mlm +\", column 6: there is no objective here: found the end, expected the name of one");
  EXPECT_ERROR(
      mix("mlm | | nsp"), usage,
      "objective \"mlm | | nsp\", column 7: there is no objective here: found '|', expected the name of "
      "one");
  EXPECT_ERROR(
      mix("mlm + + nsp"), usage,
      "objective \"mlm + + nsp\", column 7: there is no objective here: found '+', expected the name of "
      "one");
  EXPECT_ERROR(
      mix("mlm nsp"), usage,
      "objective \"mlm nsp\", column 5: there is no operator here: found 'nsp', expected '+' or '|'");
  EXPECT_ERROR(
      mix("mlm 0.5 nsp"), usage,
      "objective \"mlm 0.5 nsp\", column 5: there is no operator here: found '0.5', expected '+' or '|'");
  EXPECT_ERROR(
      mix("1 2 3 mlm"), usage,
      "objective \"1 2 3 mlm\", column 5: there is no objective here: found '3', expected the name of one");
  EXPECT_ERROR(
      mix("mlm + 1 2 nsp"), usage,
      "objective \"mlm + 1 2 nsp\", column 9: there is no objective here: found '2', expected the name of "
      "one");
  EXPECT_ERROR(
      mix("é | 1"), usage,
      "objective \"é | 1\", column 6: there is no objective here: found the end, expected the name of one");
}

TEST(Mixture, RefusesImpossibleNumbers) {
  EXPECT_ERROR(mix("-0.5 mlm"), usage,
               "objective \"-0.5 mlm\", column 1: impossible number: found '-0.5', expected a number in [0, "
               "1000000000]");
  EXPECT_ERROR(
      mix("mlm + 1e999 nsp"), usage,
      "objective \"mlm + 1e999 nsp\", column 7: impossible number: found '1e999', expected a number in [0, "
      "1000000000]");
  EXPECT_ERROR(mix(". mlm"), usage, testing::HasSubstr("column 1: impossible number: found '.'"));
  EXPECT_ERROR(mix("0 mlm | 0 causal"), usage,
               "objective \"0 mlm | 0 causal\", column 1: shares sum to 0: expected a share above 0");
  EXPECT_ERROR(
      mix("causal | 1 0 mlm + 0 nsp"), usage,
      "objective \"causal | 1 0 mlm + 0 nsp\", column 12: nothing would be learnt: expected a weight above "
      "0");
}

TEST(Mixture, RefusesUnknownObjectivesWithTheNearest) {
  EXPECT_ERROR(mix("mlm + nps"), usage,
               "objective \"mlm + nps\", column 7: unknown objective nps: expected one of mlm, nsp, sop, "
               "causal, reverse, conditional, blank_infilling, cloze, classification, regression, "
               "token_classification; "
               "did you mean nsp?");
  EXPECT_ERROR(mix("casual"), usage, testing::HasSubstr("did you mean causal?"));
  EXPECT_ERROR(mix("inf mlm"), usage, testing::HasSubstr("there is no operator here: found 'mlm'"));
  EXPECT_ERROR(
      mix("translation"), usage,
      "objective \"translation\", column 1: unknown objective translation: expected one of mlm, nsp, sop, "
      "causal, reverse, conditional, blank_infilling, cloze, classification, regression, "
      "token_classification");
}

TEST(Mixture, RefusesSumsThatCannotBe) {
  EXPECT_ERROR(
      mix("mlm + causal"), usage,
      "objective \"mlm + causal\", column 7: mlm + causal cannot be; a sequence has one objective over "
      "tokens; '|' mixes sequences");
  EXPECT_ERROR(
      mix("mlm + nsp + mlm"), usage,
      "objective \"mlm + nsp + mlm\", column 13: mlm + mlm cannot be; a sequence has one objective over "
      "tokens; '|' mixes sequences");
  EXPECT_ERROR(
      mix("nsp + 2 nsp"), usage,
      "objective \"nsp + 2 nsp\", column 9: nsp + nsp cannot be; a sequence has one objective over labels; "
      "'|' mixes sequences");
  EXPECT_ERROR(
      mix("causal + nsp"), usage,
      "objective \"causal + nsp\", column 10: causal + nsp cannot be; causal lays out its own sequence and "
      "cannot act on one of nsp; '|' mixes sequences");
  EXPECT_ERROR(mix("nsp + reverse"), usage, testing::HasSubstr("reverse lays out its own sequence"));
}

// There is one sentence head.
TEST(Mixture, RefusesLabelsOfTwoMeanings) {
  EXPECT_ERROR(mix("nsp + sop"), usage,
               "objective \"nsp + sop\", column 7: nsp and sop cannot be trained together; there is one "
               "sentence head, and its classes mean something else under each");
  EXPECT_ERROR(
      mix("mlm + sop | mlm + nsp"), usage,
      "objective \"mlm + sop | mlm + nsp\", column 19: sop and nsp cannot be trained together; there "
      "is one sentence head, and its classes mean something else under each");
  EXPECT_ERROR(mix("0 nsp | sop"), usage, testing::HasSubstr("cannot be trained together"));
  EXPECT_EQ(mix("mlm + sop | 2 sop").classes(), 2);
}

TEST(Mixture, RefusesWhatTheTokenizerCannotDo) {
  EXPECT_ERROR(Mixture("0.25 causal | 0.75 mlm", {}, word_tokenizer(), 16), usage,
               testing::HasSubstr("objective causal needs a tokenizer with a begin-of-text token"));
  EXPECT_ERROR(Mixture("0.25 causal | 0.75 mlm", {}, text_tokenizer(), 16), usage,
               testing::HasSubstr("objective mlm needs a tokenizer with a mask token"));
}

}  // namespace
}  // namespace surprisal
