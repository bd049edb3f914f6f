#include "stream/packing.h"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "stream/check.h"
#include "tests/stream/streams.h"

namespace surprisal {
namespace {

using Packs = std::vector<std::vector<std::int32_t>>;

// The definition, in O(n * packs): longest first, into the fullest pack that has room.
Packs best_fit_slowly(const std::vector<std::int32_t>& lengths, std::int32_t capacity) {
  std::vector<std::int32_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return lengths[a] > lengths[b]; });
  Packs packs;
  std::vector<std::int32_t> room;
  for (std::int32_t sample : order) {
    int best = -1;
    for (int pack = 0; pack < static_cast<int>(packs.size()); ++pack) {
      if (room[pack] >= lengths[sample] && (best < 0 || room[pack] < room[best])) best = pack;
    }
    if (best < 0) {
      best = static_cast<int>(packs.size());
      packs.emplace_back();
      room.push_back(capacity);
    }
    packs[best].push_back(sample);
    room[best] -= lengths[sample];
  }
  for (auto& pack : packs) std::sort(pack.begin(), pack.end());
  return packs;
}

TEST(Append, OptionsMoveByTheTargetsBefore) {
  Stream sample = make_sequence(2, 10);
  sample.target = {{0, 1, 1}, {1, 2, 1}, {1, 3, 1}};
  sample.choice = {{.option = {{0, 1}, {1, 3}}, .answer = 1, .weight = 0.5f}};
  Stream stream = make_sequence(4, 20);
  append(stream, sample);
  append(stream, sample);
  EXPECT_EQ(stream.choice, (std::vector<Choice>{{.option = {{1, 2}, {2, 4}}, .answer = 1, .weight = 0.5f},
                                                {.option = {{4, 5}, {5, 7}}, .answer = 1, .weight = 0.5f}}));
  check_stream(stream, {}, "packed");
}

TEST(PackBestFit, FillsTheFullestPackThatHasRoom) {
  // 6 and 5 open packs with room 4 and 5; 4 fits the first exactly; 3 and 2 then fill the second.
  EXPECT_EQ(pack_best_fit(std::vector<std::int32_t>{3, 6, 2, 5, 4}, 10), (Packs{{1, 4}, {0, 2, 3}}));
}

TEST(PackBestFit, TiesBreakByIndex) {
  EXPECT_EQ(pack_best_fit(std::vector<std::int32_t>{4, 4, 4, 4}, 8), (Packs{{0, 1}, {2, 3}}));
}

TEST(PackBestFit, Extremes) {
  EXPECT_EQ(pack_best_fit({}, 8), Packs{});
  EXPECT_EQ(pack_best_fit(std::vector<std::int32_t>{8, 8}, 8), (Packs{{0}, {1}}));
  EXPECT_EQ(pack_best_fit(std::vector<std::int32_t>{1, 1, 1}, 1), (Packs{{0}, {1}, {2}}));
}

TEST(PackBestFit, EqualsItsDefinitionOnRandomLengths) {
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    Random random({7, trial, 0, Purpose::sampling});
    std::int32_t capacity = 1 + static_cast<std::int32_t>(random.below(64));
    std::vector<std::int32_t> lengths(random.below(120));
    for (auto& length : lengths) length = 1 + static_cast<std::int32_t>(random.below(capacity));
    Packs packs = pack_best_fit(lengths, capacity);
    ASSERT_EQ(packs, best_fit_slowly(lengths, capacity)) << "trial " << trial;
    std::vector<int> seen(lengths.size());
    for (const auto& pack : packs) {
      std::int32_t sum = 0;
      for (std::int32_t sample : pack) sum += lengths[sample], ++seen[sample];
      EXPECT_LE(sum, capacity);
    }
    EXPECT_THAT(seen, testing::Each(1));
  }
}

TEST(Append, MovesEveryRowIntervalAndSequence) {
  Stream stream = make_sequence(3, 10, 1);
  append(stream, make_sequence(2, 20, 2));
  check_stream(stream, {}, "stream");
  EXPECT_EQ(stream.token, (std::vector<std::int32_t>{10, 11, 12, 20, 21}));
  EXPECT_EQ(stream.position, (std::vector<std::int32_t>{0, 1, 2, 0, 1}));
  EXPECT_EQ(stream.segment, (std::vector<std::int32_t>{0, 1, 0, 0, 1}));
  EXPECT_EQ(stream.visible, (std::vector<Interval>{{0, 3}, {0, 3}, {0, 3}, {3, 5}, {3, 5}}));
  EXPECT_EQ(stream.target, (std::vector<Target>{{1, 110, 0.5f}, {4, 120, 0.5f}}));
  EXPECT_EQ(stream.label, (std::vector<Label>{{0, 1, 1}, {3, 1, 1}}));
  ASSERT_EQ(stream.sequence.size(), 2u);
  EXPECT_EQ(stream.sequence[1], (Sequence{.begin = 3, .end = 5, .sample = 2, .document = 2}));
}

TEST(Append, ToNothingIsTheSample) {
  Stream stream, sample = make_sequence(3, 10, 1);
  append(stream, sample);
  EXPECT_EQ(stream, sample);
}

}  // namespace
}  // namespace surprisal
