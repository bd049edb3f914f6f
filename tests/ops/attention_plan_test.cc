// How a stream's rows are cut into tasks that share no key.

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/random.h"
#include "ops/attention.h"

namespace surprisal {

bool operator==(const AttentionGroup& a, const AttentionGroup& b) {
  return a.row_begin == b.row_begin && a.row_end == b.row_end && a.key_begin == b.key_begin &&
         a.key_end == b.key_end;
}
void PrintTo(const AttentionGroup& group, std::ostream* out) {
  *out << "rows [" << group.row_begin << ", " << group.row_end << ") keys [" << group.key_begin << ", "
       << group.key_end << ")";
}

namespace {

using Intervals = std::vector<Interval>;
using Groups = std::vector<AttentionGroup>;

Groups groups_of(const Intervals& visible, std::int64_t keys) {
  AttentionPlan plan;
  plan.groups.push_back({1, 2, 3, 4});  // what an earlier stream left
  plan_attention(visible, keys, plan);
  EXPECT_EQ(plan.visible, visible);
  return plan.groups;
}

// Rows in order and each once, with all keys that they see; no key in two groups.
void expect_tasks(const Intervals& visible, std::int64_t keys) {
  const Groups groups = groups_of(visible, keys);
  std::int32_t row = 0;
  std::vector<int> owners(static_cast<std::size_t>(keys), 0);
  for (const AttentionGroup& group : groups) {
    ASSERT_EQ(group.row_begin, row);
    ASSERT_LT(group.row_begin, group.row_end);
    for (; row < group.row_end; ++row) {
      const Interval& seen = visible[static_cast<std::size_t>(row)];
      if (seen.begin == seen.end) continue;
      ASSERT_TRUE(group.key_begin <= seen.begin && seen.end <= group.key_end) << "row " << row;
    }
    for (std::int32_t key = group.key_begin; key < group.key_end; ++key) {
      ASSERT_EQ(owners[static_cast<std::size_t>(key)]++, 0) << "key " << key;
    }
  }
  ASSERT_EQ(row, static_cast<std::int32_t>(visible.size()));
}

std::int32_t below(Random& random, std::int32_t bound) {
  return static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(bound)));
}

// Intervals of any place, up to `longest` keys.
Intervals random_intervals(Random& random, std::int32_t rows, std::int32_t keys, std::int32_t longest) {
  Intervals visible;
  for (std::int32_t row = 0; row < rows; ++row) {
    const std::int32_t begin = below(random, keys + 1);
    visible.push_back({begin, std::min(keys, begin + below(random, longest + 1))});
  }
  return visible;
}

TEST(AttentionPlan, GroupsOfAnyIntervalsShareNoKey) {
  Random random({.seed = 21});
  for (int trial = 0; trial < 20000; ++trial) {
    const std::int32_t rows = below(random, 24), keys = below(random, 24);
    SCOPED_TRACE(trial);
    const Intervals visible = random_intervals(random, rows, keys, 1 + below(random, 6));
    expect_tasks(visible, keys);
    if (HasFatalFailure()) return;
  }
}

// Sequences laid end to end in any order of their keys, with rows that see nothing strewn in.
TEST(AttentionPlan, ShuffledSequencesShareNoKey) {
  Random random({.seed = 22});
  for (int trial = 0; trial < 3000; ++trial) {
    Intervals blocks;
    for (std::int32_t begin = 0; begin < 60;) {
      const std::int32_t end = std::min(60, begin + 1 + below(random, 12));
      blocks.push_back({begin, end});
      begin = end;
    }
    for (std::size_t i = blocks.size(); i > 1; --i) {
      std::swap(blocks[i - 1], blocks[static_cast<std::size_t>(below(random, static_cast<std::int32_t>(i)))]);
    }
    Intervals visible;
    for (const Interval& block : blocks) {
      for (std::int32_t row = below(random, 4); row >= 0; --row) {
        visible.push_back(random.below(4) ? block : Interval{block.begin, block.begin});
      }
    }
    SCOPED_TRACE(trial);
    expect_tasks(visible, 60);
    if (HasFatalFailure()) return;
  }
}

Groups sequences(const std::vector<std::int32_t>& lengths) {
  Groups groups;
  std::int32_t begin = 0;
  for (std::int32_t length : lengths) {
    groups.push_back({begin, begin + length, begin, begin + length});
    begin += length;
  }
  return groups;
}

// The work can be shared: a group is no larger than a sequence, whatever is seen within it.
TEST(AttentionPlan, APackIsOneGroupASequence) {
  const Groups packed = sequences({5, 1, 1, 30, 2, 64});
  for (int kind = 0; kind < 4; ++kind) {
    Intervals visible;
    for (const AttentionGroup& sequence : packed) {
      const std::int32_t begin = sequence.row_begin, end = sequence.row_end,
                         context = begin + (end - begin) / 2 + 1;
      for (std::int32_t row = begin; row < end; ++row) {
        const Interval seen[] = {
            {begin, end}, {begin, row + 1}, {row, end}, {begin, std::max(context, row + 1)}};
        visible.push_back(seen[kind]);
      }
    }
    EXPECT_EQ(groups_of(visible, 103), packed) << kind;
  }
}

TEST(AttentionPlan, RowsThatSeeNothingJoinOnlyWhatClosesOverThem) {
  EXPECT_EQ(groups_of({{0, 0}, {0, 2}, {1, 1}, {0, 2}, {1, 1}, {2, 2}, {2, 5}, {5, 5}}, 5),
            (Groups{{0, 1, 0, 0}, {1, 4, 0, 2}, {4, 6, 0, 0}, {6, 7, 2, 5}, {7, 8, 0, 0}}));
  EXPECT_EQ(groups_of({{3, 3}, {4, 4}}, 9), (Groups{{0, 2, 0, 0}}));
  EXPECT_EQ(groups_of({}, 9), Groups());
}

TEST(AttentionPlan, ARowThatComesBackClosesOverWhatIsBetween) {
  EXPECT_EQ(groups_of({{0, 2}, {2, 4}, {5, 5}, {4, 5}, {0, 1}}, 5), (Groups{{0, 5, 0, 5}}));
  EXPECT_EQ(groups_of({{4, 5}, {0, 2}, {2, 4}, {0, 1}}, 5), (Groups{{0, 1, 4, 5}, {1, 4, 0, 4}}));
  EXPECT_EQ(groups_of({{0, 1}, {2, 4}, {5, 5}, {4, 5}, {2, 3}}, 5), (Groups{{0, 1, 0, 1}, {1, 5, 2, 5}}));
}

TEST(AttentionPlan, VisiblePairs) {
  EXPECT_EQ(visible_pairs({}), 0);
  EXPECT_EQ(visible_pairs(Intervals{{0, 3}, {2, 2}, {1, 5}}), 7);
  EXPECT_EQ(visible_pairs(Intervals(70000, Interval{0, 70000})), 4'900'000'000);
}

}  // namespace
}  // namespace surprisal
