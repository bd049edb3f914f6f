#include "ops/attention.h"

#include <algorithm>

namespace surprisal {
namespace {

// crossing[j] becomes the number of intervals that hold both key j - 1 and key j.
void count_crossings(std::span<const Interval> visible, std::int64_t keys,
                     std::vector<std::int32_t>& crossing) {
  crossing.assign(static_cast<std::size_t>(keys) + 2, 0);
  for (const Interval& interval : visible) {
    if (interval.begin >= interval.end) continue;
    ++crossing[static_cast<std::size_t>(interval.begin) + 1];
    --crossing[static_cast<std::size_t>(interval.end)];
  }
  for (std::size_t key = 1; key < crossing.size(); ++key) crossing[key] += crossing[key - 1];
}

// The uncut range of keys around `key`.
Interval connected_keys(const std::vector<std::int32_t>& crossing, std::int32_t key, std::int64_t keys) {
  Interval range{key, key + 1};
  while (range.begin > 0 && crossing[static_cast<std::size_t>(range.begin)] > 0) --range.begin;
  while (range.end < keys && crossing[static_cast<std::size_t>(range.end)] > 0) ++range.end;
  return range;
}

bool has_keys(const AttentionGroup& group) {
  return group.key_begin < group.key_end;
}

bool keys_overlap(const AttentionGroup& group, const Interval& keys) {
  return keys.begin < group.key_end && group.key_begin < keys.end;
}

// Merges into `group` the groups from `first` on: rows of one group are contiguous.
void merge_from(std::vector<AttentionGroup>& groups, std::size_t first, AttentionGroup& group) {
  for (std::size_t index = first; index < groups.size(); ++index) {
    group.row_begin = std::min(group.row_begin, groups[index].row_begin);
    if (!has_keys(groups[index])) continue;
    group.key_begin = std::min(group.key_begin, groups[index].key_begin);
    group.key_end = std::max(group.key_end, groups[index].key_end);
  }
  groups.resize(first);
}

// Adds `row`, which sees within `keys`, to the groups. `reach` is the largest key_end of all of them.
void add_row(std::vector<AttentionGroup>& groups, std::int32_t row, const Interval& keys,
             std::int32_t& reach) {
  if (groups.size() >= 2 && !has_keys(groups.back()) && keys_overlap(groups[groups.size() - 2], keys)) {
    groups.pop_back();
  }
  if (!groups.empty() && keys_overlap(groups.back(), keys)) {
    groups.back().row_end = row + 1;
    return;
  }
  AttentionGroup group{row, row + 1, keys.begin, keys.end};
  // A merged group spans the keys between its members, which may be those of yet another group: until nothing
  // overlaps.
  for (bool merged = keys.begin < reach; merged;) {
    auto overlapping = std::find_if(groups.begin(), groups.end(), [&](const AttentionGroup& other) {
      return keys_overlap(other, {group.key_begin, group.key_end});
    });
    merged = overlapping != groups.end();
    if (merged) merge_from(groups, static_cast<std::size_t>(overlapping - groups.begin()), group);
  }
  reach = std::max(reach, group.key_end);
  groups.push_back(group);
}

// A row that sees nothing stands in a group without keys until a group closes over it: in the tile of another
// sequence, 0 times what is not a number there would reach it.
void add_blind_row(std::vector<AttentionGroup>& groups, std::int32_t row) {
  if (!groups.empty() && !has_keys(groups.back())) {
    groups.back().row_end = row + 1;
  } else {
    groups.push_back({row, row + 1, 0, 0});
  }
}

}  // namespace

void plan_attention(std::span<const Interval> visible, std::int64_t keys, AttentionPlan& plan) {
  plan.visible.assign(visible.begin(), visible.end());
  plan.groups.clear();
  count_crossings(visible, keys, plan.crossing);
  Interval connected{0, 0};
  std::int32_t reach = 0;
  for (std::int32_t row = 0; row < static_cast<std::int32_t>(visible.size()); ++row) {
    const Interval& interval = visible[static_cast<std::size_t>(row)];
    bool sees = interval.begin < interval.end;
    if (sees && !(connected.begin <= interval.begin && interval.begin < connected.end)) {
      connected = connected_keys(plan.crossing, interval.begin, keys);
    }
    if (sees) {
      add_row(plan.groups, row, connected, reach);
    } else {
      add_blind_row(plan.groups, row);
    }
  }
}

std::int64_t visible_pairs(std::span<const Interval> visible) {
  std::int64_t pairs = 0;
  for (const Interval& interval : visible) pairs += interval.end - interval.begin;
  return pairs;
}

}  // namespace surprisal
