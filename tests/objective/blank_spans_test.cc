#include "objective/blank_spans.h"

#include <cmath>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/objective/corpora.h"

namespace surprisal {
namespace {

using Lengths = std::vector<std::int32_t>;

Random numbers(std::uint64_t sample) {
  return Random({.seed = 1, .sample = sample, .epoch = 0, .purpose = Purpose::infilling});
}

// Of cells with these probabilities; 3 standard deviations above its mean is too much.
void expect_distribution(const std::vector<double>& counts, const std::vector<double>& probabilities) {
  const double trials = std::accumulate(counts.begin(), counts.end(), 0.0);
  double chi_square = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double wanted = trials * probabilities[i];
    ASSERT_GT(wanted, 5);
    chi_square += std::pow(counts[i] - wanted, 2) / wanted;
  }
  const double freedom = static_cast<double>(counts.size()) - 1;
  EXPECT_LT(chi_square, freedom + 3 * std::sqrt(2 * freedom));
  EXPECT_GT(chi_square, freedom - 3 * std::sqrt(2 * freedom));
}

TEST(SpanLengths, PoissonWithoutZeroAndCutOff) {
  SpanLengths lengths = SpanLengths::poisson(3, 39);
  Random random = numbers(0);
  std::vector<double> counts(10), probabilities(10);
  constexpr int kTrials = 1000000;
  double sum = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    const std::size_t length = lengths.draw(random);
    ASSERT_TRUE(length >= 1 && length <= 39);
    sum += static_cast<double>(length);
    ++counts[std::min<std::size_t>(length, 10) - 1];
  }
  for (std::size_t l = 1; l <= 39; ++l) {
    probabilities[std::min<std::size_t>(l, 10) - 1] +=
        std::exp(static_cast<double>(l) * std::log(3.0) - 3 - std::lgamma(static_cast<double>(l) + 1)) /
        (1 - std::exp(-3.0));
  }
  expect_distribution(counts, probabilities);
  EXPECT_NEAR(sum / kTrials, 3 / (1 - std::exp(-3.0)), 3 * 1.6312 / 1000);
}

TEST(SpanLengths, GivenThatTheyFit) {
  SpanLengths lengths = SpanLengths::poisson(3, 39);
  Random random = numbers(0);
  std::vector<double> counts(3);
  for (int trial = 0; trial < 20000; ++trial) ++counts.at(lengths.draw(random, 3) - 1);
  const double all = 3 + 4.5 + 4.5;  // lambda^l / l!
  expect_distribution(counts, {3 / all, 4.5 / all, 4.5 / all});
  EXPECT_EQ(lengths.draw(random, 1), 1u);
}

// Lambdas that no double's factorial or power bears.
TEST(SpanLengths, ExtremeLambdas) {
  Random random = numbers(0);
  SpanLengths large = SpanLengths::poisson(1e6, 39), small = SpanLengths::poisson(1e-9, 39),
              wide = SpanLengths::poisson(1000, 4000);
  double sum = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    EXPECT_GE(large.draw(random), 38u);
    EXPECT_EQ(small.draw(random), 1u);
    sum += static_cast<double>(wide.draw(random));
  }
  EXPECT_NEAR(sum / 1000, 1000, 3);
  EXPECT_EQ(large.draw(random, 2), 2u);
}

TEST(BlankSpans, LengthsReachTheShareAndFit) {
  SpanLengths distribution = SpanLengths::poisson(3, 39);
  for (std::uint64_t trial = 0; trial < 3000; ++trial) {
    Random random = numbers(trial);
    const std::int64_t room = 1 + random.below(40), masked = 1 + random.below(40), gap = random.below(3);
    const Lengths lengths = draw_lengths(random, distribution, masked, room, gap);
    ASSERT_FALSE(lengths.empty());
    const std::int64_t sum = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    const std::int64_t taken = sum + gap * (std::ssize(lengths) - 1);
    EXPECT_LE(taken, room);
    if (sum < masked) {
      EXPECT_GT(taken + gap + 1, room) << "another would have fitted";
    }
    const std::int64_t largest = *std::max_element(lengths.begin(), lengths.end());
    EXPECT_LT(sum - largest, masked) << "none is drawn once there are enough";
  }
}

// The last drawn is longer than others on average, and may stand anywhere.
TEST(BlankSpans, LengthsStandInAnyOrder) {
  SpanLengths distribution = SpanLengths::poisson(3, 39);
  double first = 0, last = 0;
  constexpr int kTrials = 40000;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    const Lengths lengths = draw_lengths(random, distribution, 10, 1000, 1);
    first += lengths.front();
    last += lengths.back();
  }
  EXPECT_NEAR(first / kTrials, last / kTrials, 3 * 2.4 / std::sqrt(kTrials));
}

// Two spans of 1 and 2 in 7 tokens, 1 between them: 3 are left over, and (a, b) sorted of 4 x 4 pairs.
TEST(BlankSpans, PlacesAreSortedNumbersDrawnAlike) {
  std::map<std::pair<int, int>, double> found;
  constexpr int kTrials = 32000;
  const Lengths lengths{1, 2};
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    const Blanks blanks = place_spans(random, lengths, {5, 12}, 1);
    ASSERT_EQ(blanks.size(), 2u);
    EXPECT_EQ(blanks[0].size(), 1);
    EXPECT_EQ(blanks[1].size(), 2);
    ++found[{blanks[0].begin - 5, blanks[1].begin - 7}];
  }
  std::vector<double> counts, probabilities;
  for (int a = 0; a < 4; ++a) {
    for (int b = a; b < 4; ++b) {
      counts.push_back(found[{a, b}]);
      probabilities.push_back((a == b ? 1 : 2) / 16.0);
    }
  }
  EXPECT_EQ(found.size(), 10u);
  expect_distribution(counts, probabilities);
}

TEST(BlankSpans, AWholeRegionMayBeBlank) {
  Random random = numbers(0);
  EXPECT_EQ(place_spans(random, Lengths{4}, {1, 5}, 1), (Blanks{{1, 5}}));
  EXPECT_EQ(place_spans(random, Lengths{1, 2}, {1, 5}, 1), (Blanks{{1, 2}, {3, 5}}));
  EXPECT_EQ(place_spans(random, Lengths{1, 2}, {1, 4}, 0), (Blanks{{1, 2}, {2, 4}}));
  EXPECT_TRUE(place_spans(random, Lengths{}, {1, 4}, 1).empty());
}

TEST(BlankSpans, SentencesUntilThereAreEnough) {
  const Blanks sentences{{1, 4}, {4, 5}, {5, 11}, {11, 13}};
  std::vector<double> alone(4);
  constexpr int kTrials = 20000;
  for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
    Random random = numbers(trial);
    const Blanks chosen = choose_sentences(random, sentences, 1);
    ASSERT_EQ(chosen.size(), 1u);
    for (std::size_t i = 0; i < 4; ++i) alone[i] += chosen[0] == sentences[i];
    const Blanks more = choose_sentences(random, sentences, 7);
    std::int64_t sum = 0, largest = 0;
    for (std::size_t i = 0; i < more.size(); ++i) {
      sum += more[i].size();
      largest = std::max<std::int64_t>(largest, more[i].size());
      if (i > 0) {
        EXPECT_LE(more[i - 1].end, more[i].begin);
      }
    }
    EXPECT_GE(sum, 7);
    EXPECT_LT(sum - largest, 7);
  }
  expect_distribution(alone, {0.25, 0.25, 0.25, 0.25});
  Random random = numbers(0);
  EXPECT_EQ(choose_sentences(random, sentences, 100), sentences);
}

TEST(BlankSpans, AllOrdersAreEquallyLikely) {
  for (std::size_t pieces : {3u, 4u}) {
    std::map<std::vector<std::size_t>, double> found;
    for (std::uint64_t trial = 0; trial < 60000; ++trial) {
      Random random = numbers(trial);
      ++found[draw_order(random, pieces, true)];
    }
    ASSERT_EQ(found.size(), pieces == 3 ? 6u : 24u);
    std::vector<double> counts;
    for (const auto& [order, count] : found) counts.push_back(count);
    expect_distribution(counts, std::vector<double>(counts.size(), 1.0 / static_cast<double>(counts.size())));
  }
  Random random = numbers(0);
  EXPECT_EQ(draw_order(random, 4, false), (std::vector<std::size_t>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace surprisal
