// Metrics against what scikit-learn, scipy and seqeval give, worked out by hand.
#include "infer/metrics.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/objective/tokenizers.h"

namespace surprisal {
namespace {

using Ids = std::vector<std::int32_t>;
using Numbers = std::vector<double>;
using Tags = std::vector<std::string>;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Metrics, BinaryF1IsThatOfClassOne) {
  // 2 are right of 3 predicted and 4 true ones: precision 2/3, recall 1/2.
  EXPECT_DOUBLE_EQ(binary_f1(Ids{1, 0, 1, 1, 0, 1}, Ids{1, 1, 0, 1, 0, 0}), 4.0 / 7);
  EXPECT_EQ(binary_f1(Ids{1, 1, 0}, Ids{1, 1, 0}), 1);
}

TEST(Metrics, BinaryF1WithoutAPositiveIsZero) {
  EXPECT_EQ(binary_f1(Ids{0, 0}, Ids{0, 0}), 0);
  EXPECT_EQ(binary_f1(Ids{1, 0}, Ids{0, 1}), 0);
  EXPECT_EQ(binary_f1(Ids{}, Ids{}), 0);
}

TEST(Metrics, MacroF1IsTheMeanOverClasses) {
  // Class 1 is never predicted: 4/5, 0, 4/5.
  EXPECT_DOUBLE_EQ(macro_f1(Ids{0, 1, 2, 2, 1, 0}, Ids{0, 2, 2, 2, 0, 0}), (0.8 + 0 + 0.8) / 3);
  // Class 1 is never right: 2/3, 0. Class 2, which is neither, does not count.
  EXPECT_DOUBLE_EQ(macro_f1(Ids{0, 0}, Ids{0, 1}), 1.0 / 3);
  EXPECT_EQ(macro_f1(Ids{4, 4}, Ids{4, 4}), 1);
  EXPECT_EQ(macro_f1(Ids{}, Ids{}), 0);
}

TEST(Metrics, MatthewsOfTwoClasses) {
  // 3 true positives, 2 true negatives, 1 false of each: (3 * 2 - 1 * 1) / sqrt(4 * 4 * 3 * 3).
  EXPECT_DOUBLE_EQ(matthews_correlation(Ids{1, 1, 1, 0, 0, 1, 0}, Ids{1, 1, 0, 0, 1, 1, 0}), 5.0 / 12);
  EXPECT_DOUBLE_EQ(matthews_correlation(Ids{1, 0, 1}, Ids{1, 0, 1}), 1);
  EXPECT_DOUBLE_EQ(matthews_correlation(Ids{1, 0}, Ids{0, 1}), -1);
}

TEST(Metrics, MatthewsOfSeveralClasses) {
  // 4 of 6 are right; true counts (2, 1, 3), predicted (3, 0, 3): (4 * 6 - 15) / sqrt((36 - 18) (36 - 14)).
  EXPECT_DOUBLE_EQ(matthews_correlation(Ids{2, 0, 2, 2, 0, 1}, Ids{0, 0, 2, 2, 0, 2}), 9 / std::sqrt(396.0));
}

TEST(Metrics, MatthewsIsZeroWhereItIsNotDefined) {
  EXPECT_EQ(matthews_correlation(Ids{1, 1, 1}, Ids{1, 1, 1}), 0);
  EXPECT_EQ(matthews_correlation(Ids{1, 0, 1}, Ids{1, 1, 1}), 0);
  EXPECT_EQ(matthews_correlation(Ids{1, 1, 1}, Ids{1, 0, 1}), 0);
  EXPECT_EQ(matthews_correlation(Ids{}, Ids{}), 0);
}

TEST(Metrics, PearsonsCorrelation) {
  EXPECT_DOUBLE_EQ(pearson(Numbers{1, 2, 3, 4}, Numbers{1, 3, 2, 5}), 5.5 / std::sqrt(5 * 8.75));
  EXPECT_DOUBLE_EQ(pearson(Numbers{1, 2, 4}, Numbers{-2, -4, -8}), -1);
  // A large mean cancels nothing.
  EXPECT_NEAR(pearson(Numbers{1e8 + 1, 1e8 + 2, 1e8 + 3}, Numbers{1, 2, 3}), 1, 1e-12);
  EXPECT_EQ(pearson(Numbers{1, 2, 3}, Numbers{5, 5, 5}), 0);
  EXPECT_EQ(pearson(Numbers{1}, Numbers{2}), 0);
  EXPECT_EQ(pearson(Numbers{}, Numbers{}), 0);
}

TEST(Metrics, SpearmansCorrelationSharesRanksOfTies) {
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4.
  EXPECT_DOUBLE_EQ(spearman(Numbers{1, 7, 7, 30}, Numbers{10, 30, 20, 400}), 4.5 / std::sqrt(4.5 * 5));
  EXPECT_DOUBLE_EQ(spearman(Numbers{1, 2, 3}, Numbers{1, 8, 27000}), 1);
  EXPECT_DOUBLE_EQ(spearman(Numbers{3, 1, 2}, Numbers{1, 3, 2}), -1);
  EXPECT_EQ(spearman(Numbers{2, 2, 2}, Numbers{1, 2, 3}), 0);
}

TEST(Entities, OfIob2) {
  EXPECT_THAT(find_entities(Tags{"B-PER", "I-PER", "O", "B-LOC"}),
              ElementsAre(Entity{0, 2, "PER"}, Entity{3, 4, "LOC"}));
  EXPECT_THAT(find_entities(Tags{"B-X", "B-X", "I-X"}), ElementsAre(Entity{0, 1, "X"}, Entity{1, 3, "X"}));
  EXPECT_THAT(find_entities(Tags{"O", "O"}), IsEmpty());
  EXPECT_THAT(find_entities(Tags{}), IsEmpty());
}

TEST(Entities, AnInsideBehindNothingBeginsOne) {
  EXPECT_THAT(find_entities(Tags{"O", "I-PER", "I-PER", "O"}), ElementsAre(Entity{1, 3, "PER"}));
  EXPECT_THAT(find_entities(Tags{"I-PER"}), ElementsAre(Entity{0, 1, "PER"}));
  EXPECT_THAT(find_entities(Tags{"I-X", "B-X"}), ElementsAre(Entity{0, 1, "X"}, Entity{1, 2, "X"}));
}

TEST(Entities, AnotherTypeBeginsOne) {
  EXPECT_THAT(find_entities(Tags{"B-PER", "I-LOC", "I-LOC"}),
              ElementsAre(Entity{0, 1, "PER"}, Entity{1, 3, "LOC"}));
  EXPECT_THAT(find_entities(Tags{"B-PER", "E-LOC"}), ElementsAre(Entity{0, 1, "PER"}, Entity{1, 2, "LOC"}));
}

TEST(Entities, OfIobes) {
  EXPECT_THAT(find_entities(Tags{"B-PER", "I-PER", "E-PER", "S-LOC", "S-LOC", "O"}),
              ElementsAre(Entity{0, 3, "PER"}, Entity{3, 4, "LOC"}, Entity{4, 5, "LOC"}));
  EXPECT_THAT(find_entities(Tags{"B-X", "E-X", "I-X"}), ElementsAre(Entity{0, 2, "X"}, Entity{2, 3, "X"}));
  EXPECT_THAT(find_entities(Tags{"O", "E-X"}), ElementsAre(Entity{1, 2, "X"}));
}

TEST(Entities, OneMayEndWithTheText) {
  EXPECT_THAT(find_entities(Tags{"O", "B-X", "I-X"}), ElementsAre(Entity{1, 3, "X"}));
}

TEST(Entities, OtherNamesAreOfNone) {
  EXPECT_THAT(find_entities(Tags{"B", "B-", "NOUN", "X-PER", "b-PER", "BPER"}), IsEmpty());
  EXPECT_THAT(find_entities(Tags{"B-A-B"}), ElementsAre(Entity{0, 1, "A-B"}));
  EXPECT_TRUE(are_entity_tags(Tags{"O", "I-X"}));
  EXPECT_FALSE(are_entity_tags(Tags{"O", "NOUN", "X-ray"}));
  EXPECT_FALSE(are_entity_tags(Tags{}));
}

ObjectiveOptions named(const std::vector<std::string>& names) {
  ObjectiveOptions options;
  options.classification.labels = options.token_classification.labels = names;
  return options;
}

// Sequences of these numbers of rows, each with a label on every row.
Stream labelled(const std::vector<Ids>& classes) {
  Stream stream;
  for (const Ids& sequence : classes) {
    const std::int32_t begin = stream.size();
    for (std::int32_t cls : sequence) {
      stream.label.push_back({stream.size(), cls, 1});
      stream.token.push_back(0);
    }
    stream.sequence.push_back({.begin = begin, .end = stream.size()});
  }
  return stream;
}
StreamResult predicting(const Ids& classes) {
  StreamResult result;
  result.label.predicted = classes;
  return result;
}

std::vector<std::pair<std::string, double>> all(const MetricCounter& counter) {
  std::vector<std::pair<std::string, double>> metrics;
  for (const Metric& metric : counter.metrics()) metrics.emplace_back(metric.name, metric.value);
  return metrics;
}
auto is(const char* name, double value) {
  return testing::Pair(name, testing::DoubleEq(value));
}

TEST(MetricCounter, OfTwoClassesAndOfSeveral) {
  MetricCounter two(Mixture("classification", named({"no", "yes"}), word_tokenizer(), 16));
  two.add(labelled({{1}, {0}, {1}}), predicting({1, 1, 0}));
  two.add(labelled({{1}, {0}, {1}}), predicting({1, 0, 0}));
  EXPECT_THAT(all(two), ElementsAre(is("f1", 4.0 / 7), is("matthews", 0)));
  MetricCounter three(Mixture("classification", named({"a", "b", "c"}), word_tokenizer(), 16));
  three.add(labelled({{2}, {0}, {2}, {2}, {0}, {1}}), predicting({0, 0, 2, 2, 0, 2}));
  EXPECT_THAT(all(three),
              ElementsAre(is("macro_f1", (0.8 + 2.0 / 3) / 3), is("matthews", 9 / std::sqrt(396.0))));
}

TEST(MetricCounter, OfNumbers) {
  MetricCounter counter(Mixture("regression", {}, word_tokenizer(), 16));
  Stream stream = labelled({{0}, {0}, {0}, {0}});
  for (std::size_t i = 0; i < 4; ++i) stream.label[i].value = static_cast<float>(i + 1);
  StreamResult result;
  result.label.value = {1, 3, 2, 5};
  counter.add(stream, result);
  EXPECT_THAT(all(counter), ElementsAre(is("pearson", 5.5 / std::sqrt(5 * 8.75)), is("spearman", 0.8)));
}

// Entities are those of a text: one does not go on in the next.
TEST(MetricCounter, OfEntities) {
  MetricCounter counter(
      Mixture("token_classification", named({"O", "B-X", "I-X", "B-Y"}), word_tokenizer(), 16));
  counter.add(labelled({{0, 1}, {2, 0}}), predicting({0, 1, 2, 0}));
  EXPECT_THAT(all(counter),
              ElementsAre(is("precision", 1), is("recall", 1), is("f1", 1), is("exact_match", 1)));
  // Of the words 1 2 | 0 3, 1 0 | 0 3 are predicted: the first is cut short, the second right, one is new.
  counter.add(labelled({{1, 2}, {0, 3, 0}}), predicting({1, 0, 0, 3, 1}));
  EXPECT_THAT(all(counter), ElementsAre(is("precision", 3.0 / 5), is("recall", 3.0 / 4), is("f1", 6.0 / 9),
                                        is("exact_match", 2.0 / 4)));
}

TEST(MetricCounter, OfWordsThatAreNoEntities) {
  MetricCounter counter(Mixture("token_classification", named({"NOUN", "VERB"}), word_tokenizer(), 16));
  counter.add(labelled({{1, 0}, {1, 1}}), predicting({1, 0, 1, 0}));
  EXPECT_THAT(all(counter),
              ElementsAre(is("f1", 0.8), is("matthews", 2 / std::sqrt(12.0)), is("exact_match", 1.0 / 2)));
}

// What greedy decoding would write: every target of a pair is the most probable.
TEST(MetricCounter, OfCompletions) {
  MetricCounter counter(Mixture("conditional", {}, text_tokenizer(), 16));
  Stream stream = labelled({{0, 0, 0}, {0, 0}, {0}});
  stream.label.clear();
  stream.target = {{1, 7, 1}, {2, 8, 1}, {3, 7, 1}, {4, 9, 1}, {5, 4, 1}};
  StreamResult result;
  result.token.predicted = {7, 8, 7, 8, 4};
  counter.add(stream, result);
  EXPECT_THAT(all(counter), ElementsAre(is("exact_match", 2.0 / 3)));
}

TEST(MetricCounter, OfOtherObjectivesThereAreNone) {
  for (const char* objective : {"mlm + nsp", "causal", "mlm | conditional"}) {
    MetricCounter counter(Mixture(objective, {}, full_tokenizer(), 16));
    Stream stream = labelled({{0, 1}});
    stream.target = {{0, 7, 1}};
    StreamResult result = predicting({0, 1});
    result.token.predicted = {7};
    counter.add(stream, result);
    EXPECT_THAT(counter.metrics(), IsEmpty()) << objective;
  }
}

}  // namespace
}  // namespace surprisal
