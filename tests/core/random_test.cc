#include "core/random.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace surprisal {
namespace {

// The known answers of philox4x32 10 in Random123's kat_vectors.
TEST(Philox, GivesTheKnownAnswers) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~std::uint64_t{0}, {~0u, ~0u, ~0u, ~0u}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0'a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, IsAPureFunctionOfItsKey) {
  RandomKey key{.seed = 7, .sample = 1'000'000'007'000, .epoch = 3, .purpose = Purpose::masking};
  Random a(key), b(key);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(a.next_u32(), b.next_u32());
}

TEST(Random, EveryPartOfTheKeyMatters) {
  RandomKey key{.seed = 1, .sample = 2, .epoch = 3, .purpose = Purpose::masking};
  std::vector<RandomKey> keys(7, key);
  keys[1].seed = 2;
  keys[2].seed = 1 + (std::uint64_t{1} << 32);
  keys[3].sample = 3;
  keys[4].sample = 2 + (std::uint64_t{1} << 32);
  keys[5].epoch = 4;
  keys[6].purpose = Purpose::pairing;
  std::set<std::uint64_t> first;
  for (const RandomKey& each : keys) first.insert(Random(each).next_u64());
  EXPECT_EQ(first.size(), keys.size());
}

TEST(Random, UniformIsUniform) {
  constexpr int kDraws = 200'000, kCells = 100;
  Random random({.seed = 11});
  std::vector<int> count(kCells);
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    double u = random.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    ++count[static_cast<std::size_t>(u * kCells)];
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 5 / std::sqrt(12.0 * kDraws));
  double expected = static_cast<double>(kDraws) / kCells, chi_square = 0;
  for (int n : count) chi_square += (n - expected) * (n - expected) / expected;
  // 99 degrees of freedom: mean 99, standard deviation 14.
  EXPECT_GT(chi_square, 99 - 4 * 14);
  EXPECT_LT(chi_square, 99 + 5 * 14);
}

TEST(Random, BelowIsUnbiasedWhereTheBoundDoesNotDivide) {
  // Taking the remainder of 32 bits would make the lower half of 3 * 2^30 twice as likely as its upper third.
  constexpr std::uint32_t kBound = 3u << 30;
  constexpr int kDraws = 60'000;
  Random random({.seed = 5, .purpose = Purpose::sampling});
  int third[3] = {};
  for (int i = 0; i < kDraws; ++i) {
    std::uint32_t value = random.below(kBound);
    ASSERT_LT(value, kBound);
    ++third[value >> 30];
  }
  double deviation = std::sqrt(kDraws * 2.0 / 9);
  for (int n : third) EXPECT_NEAR(n, kDraws / 3, 5 * deviation);
}

TEST(Random, BelowReachesEveryValue) {
  Random random({.seed = 9});
  EXPECT_EQ(random.below(1), 0u);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
  EXPECT_THAT(seen, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(Random, NormalHasTheMomentsOfTheNormal) {
  constexpr int kDraws = 200'000;
  Random random({.seed = 13});
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  for (int i = 0; i < kDraws; ++i) {
    double z = random.normal();
    ASSERT_TRUE(std::isfinite(z));
    sum += z, squares += z * z, cubes += z * z * z, fourths += z * z * z * z;
  }
  // Five standard deviations of each moment's mean: variances 1, 2, 15 and 96.
  EXPECT_NEAR(sum / kDraws, 0, 5 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
  EXPECT_NEAR(cubes / kDraws, 0, 5 * std::sqrt(15.0 / kDraws));
  EXPECT_NEAR(fourths / kDraws, 3, 5 * std::sqrt(96.0 / kDraws));
}

class PermutationOfSize : public testing::TestWithParam<std::uint64_t> {};

TEST_P(PermutationOfSize, IsABijection) {
  std::uint64_t size = GetParam();
  for (std::uint64_t seed : {0, 1, 2}) {
    Permutation permutation({.seed = seed, .purpose = Purpose::document_order}, size);
    std::vector<bool> seen(size);
    for (std::uint64_t i = 0; i < size; ++i) {
      std::uint64_t value = permutation(i);
      ASSERT_LT(value, size);
      ASSERT_FALSE(seen[value]) << i << " and an earlier index give " << value;
      seen[value] = true;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Sizes, PermutationOfSize,
                         testing::Values(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 100, 255, 256, 257,
                                         1000, 4095, 4096, 4097, 65537));

TEST(Permutation, OfOneElementIsThatElement) {
  EXPECT_EQ(Permutation({.seed = 4}, 1)(0), 0u);
}

TEST(Permutation, StaysInVeryLargeRanges) {
  for (std::uint64_t size : {(std::uint64_t{1} << 40) + 3, std::uint64_t{1} << 62}) {
    Permutation permutation({.seed = 3}, size);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < 2000; ++i) {
      std::uint64_t value = permutation(i);
      ASSERT_LT(value, size);
      seen.insert(value);
    }
    EXPECT_EQ(seen.size(), 2000u);
    EXPECT_GT(*seen.rbegin(), size / 2);
  }
}

TEST(Permutation, ShufflesAndDependsOnEpochAndPurpose) {
  constexpr std::uint64_t kSize = 1000;
  Permutation first({.seed = 1}, kSize), next_epoch({.seed = 1, .epoch = 1}, kSize);
  Permutation other({.seed = 1, .purpose = Purpose::pack_order}, kSize);
  int fixed = 0, same_epoch = 0, same_purpose = 0;
  for (std::uint64_t i = 0; i < kSize; ++i) {
    fixed += first(i) == i;
    same_epoch += first(i) == next_epoch(i);
    same_purpose += first(i) == other(i);
  }
  // Each is Poisson with mean 1.
  EXPECT_LT(fixed, 10);
  EXPECT_LT(same_epoch, 10);
  EXPECT_LT(same_purpose, 10);
}

// Every arrangement of three elements comes up about equally often.
TEST(Permutation, GivesEveryArrangement) {
  constexpr int kSeeds = 6000;
  int count[27] = {};
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Permutation p({.seed = seed}, 3);
    ++count[p(0) * 9 + p(1) * 3 + p(2)];
  }
  double deviation = std::sqrt(kSeeds * (1.0 / 6) * (5.0 / 6));
  for (int arrangement : {5, 7, 11, 15, 19, 21}) EXPECT_NEAR(count[arrangement], kSeeds / 6, 5 * deviation);
}

}  // namespace
}  // namespace surprisal
