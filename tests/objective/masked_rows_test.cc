#include "objective/masked_rows.h"

#include <cmath>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/objective/corpora.h"

namespace surprisal {
namespace {

Random numbers(std::uint64_t sample) {
  return Random({.seed = 1, .sample = sample, .epoch = 0, .purpose = Purpose::masking});
}

// Words of these sizes from row 1 on.
std::vector<Word> words_of(const std::vector<int>& sizes) {
  std::vector<Word> words;
  std::int32_t row = 1;
  for (int size : sizes) words.push_back({row, row + size}), row += size;
  return words;
}

bool holds(const Rows& rows, const Word& word) {
  return std::find(rows.begin(), rows.end(), word.begin) != rows.end();
}

TEST(MaskedRows, RoundedCountHalvesToEven) {
  EXPECT_EQ(rounded_count(0.25, 10), 2u);
  EXPECT_EQ(rounded_count(0.25, 14), 4u);
  EXPECT_EQ(rounded_count(0.15, 1), 1u);
}

// Every subset of the words against the rule: an order of words gives what walking along it gives.
TEST(MaskedRows, WordsThatOvershootArePassedOver) {
  // Of 3 rows and words of 2, 2 and 1: whichever 2 comes first, then the 1, for the other 2 overshoots.
  std::vector<Word> words = words_of({2, 2, 1});
  double first = 0;
  constexpr int kTrials = 20000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    Rows rows = choose_words(random, 3, words);
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_TRUE(holds(rows, words[2]));
    EXPECT_NE(holds(rows, words[0]), holds(rows, words[1]));
    first += holds(rows, words[0]);
  }
  EXPECT_TRUE(within_three_sigma(first, kTrials, 0.5)) << first;
  // Of 2 rows: the 1 is alone only where it came first, and then no 2 fits; so the count is not reached.
  double single = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    Rows rows = choose_words(random, 2, words);
    single += rows.size() == 1;
    EXPECT_EQ(rows.size() == 1, holds(rows, words[2]));
  }
  EXPECT_TRUE(within_three_sigma(single, kTrials, 1.0 / 3)) << single;
}

TEST(MaskedRows, WhereEveryWordIsTooLargeASmallestIsTaken) {
  std::vector<Word> words = words_of({5, 3, 4, 3});
  double first = 0;
  for (int trial = 0; trial < 10000; ++trial) {
    Random random = numbers(trial);
    Rows rows = choose_words(random, 2, words);
    EXPECT_EQ(rows.size(), 3u);
    first += holds(rows, words[1]);
  }
  EXPECT_TRUE(within_three_sigma(first, 10000, 0.5)) << first;
}

TEST(MaskedRows, WordsAloneAreDrawnEach) {
  std::vector<Word> words = words_of({1, 2, 3, 1, 2, 3, 4, 1, 1, 2});
  std::vector<double> hits(words.size());
  constexpr int kTrials = 20000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    Rows rows = choose_words_alone(random, 0.3, words);
    std::size_t size = 0;
    for (std::size_t word = 0; word < words.size(); ++word) {
      if (!holds(rows, words[word])) continue;
      ++hits[word];
      size += words[word].size();
    }
    ASSERT_EQ(rows.size(), size);  // whole words alone
    ASSERT_GT(size, 0u);
  }
  double at_least_one = 0.3 + std::pow(0.7, 10) / 10;
  for (double count : hits) EXPECT_TRUE(within_three_sigma(count, kTrials, at_least_one)) << count;
}

TEST(MaskedRows, SpanLengthsAreGeometricAndCutOff) {
  SpanLengths lengths = SpanLengths::geometric(0.2, 10);
  Random random = numbers(0);
  std::map<std::size_t, double> counts;
  constexpr double kDraws = 400000;
  double sum = 0, mean = 0, rest = 1 - std::pow(0.8, 10);
  for (int i = 0; i < kDraws; ++i) {
    std::size_t length = lengths.draw(random);
    ++counts[length];
    sum += static_cast<double>(length);
  }
  ASSERT_EQ(counts.size(), 10u);
  for (const auto& [length, count] : counts) {
    double probability = 0.2 * std::pow(0.8, static_cast<double>(length) - 1) / rest;
    mean += probability * static_cast<double>(length);
    EXPECT_TRUE(within_three_sigma(count, kDraws, probability)) << length;
  }
  EXPECT_NEAR(mean, 3.797, 5e-4);  // the paper's mean of 3.8
  EXPECT_NEAR(sum / kDraws, mean, 3 * 2.5 / std::sqrt(kDraws));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(SpanLengths::geometric(1, 10).draw(random), 1u);
}

// With one span alone: its anchor is uniform over rows, so a word is the first with a probability that goes
// with its size, and the span holds the drawn number of words.
TEST(MaskedRows, ASpanBeginsAtTheWordOfAUniformRow) {
  std::vector<int> sizes = {1, 3, 2, 1, 4, 1, 2, 3, 1, 2};
  std::vector<Word> words = words_of(sizes);
  SpanLengths one = SpanLengths::geometric(1, 1);
  std::vector<double> hits(words.size());
  constexpr int kTrials = 40000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    Rows rows = choose_spans(random, 1, one, words);
    ASSERT_EQ(rows.size(), 1u);
    for (std::size_t word = 0; word < words.size(); ++word) hits[word] += rows[0] == words[word].begin;
  }
  for (std::size_t word = 0; word < words.size(); ++word)
    EXPECT_TRUE(within_three_sigma(hits[word], kTrials, sizes[word] / 20.0)) << word;
}

TEST(MaskedRows, SpansHoldTheCountAndStopAtGaps) {
  std::vector<Word> words = words_of({2, 1, 3, 2, 1, 1, 2});  // rows 1 to 12
  for (std::size_t word = 3; word < words.size(); ++word) words[word].begin += 5, words[word].end += 5;
  SpanLengths lengths = SpanLengths::geometric(0.2, 10);
  std::set<std::size_t> runs;
  for (int trial = 0; trial < 5000; ++trial) {
    Random random = numbers(trial);
    std::size_t count = 1 + trial % 12;
    Rows rows = choose_spans(random, count, lengths, words);
    EXPECT_EQ(rows.size(), count);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    EXPECT_EQ(std::set<std::int32_t>(rows.begin(), rows.end()).size(), count);
    for (std::int32_t row : rows) EXPECT_TRUE(row <= 6 || row >= 12) << row;
    std::size_t number = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) number += i == 0 || rows[i] != rows[i - 1] + 1;
    runs.insert(number);
  }
  EXPECT_GE(runs.size(), 3u);
  Random random = numbers(0);
  EXPECT_EQ(choose_spans(random, 100, lengths, words).size(), 12u);  // all there are
}

// Against SpanBERT's procedure run for the exact probabilities: two words of one row, one span of 1 or 2
// words, both rows wanted or one.
TEST(MaskedRows, SpansOfTwoWordsHaveTheirProbabilities) {
  std::vector<Word> words = words_of({1, 1, 1});
  SpanLengths lengths = SpanLengths::geometric(0.5, 2);  // 1 with 2/3, 2 with 1/3
  double left = 0, middle = 0;
  constexpr int kTrials = 60000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    Rows rows = choose_spans(random, 2, lengths, words);
    left += rows == Rows{1, 2};
    middle += rows == Rows{1, 3};
  }
  // {1,2}: first span at 1 of two words (1/9), or at 1 of one word (2/9) and then 2 next; or at 2 of one
  // (2/9) and then 1. The next anchor is 1 of 2 free rows: 1/2. From 2 of two words: {2,3}. At 1 alone, then
  // 3 of any length.
  EXPECT_TRUE(within_three_sigma(left, kTrials, 1.0 / 9 + 2.0 / 9 / 2 + 2.0 / 9 / 2)) << left / kTrials;
  // {1,3}: 1 alone then 3; 3 (any length, there is no next) then 1 of any length: 2 of two words would be
  // {2,3}.
  EXPECT_TRUE(within_three_sigma(middle, kTrials, 2.0 / 9 / 2 + 1.0 / 3 / 2)) << middle / kTrials;
}

}  // namespace
}  // namespace surprisal
