#include "stream/packing.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

namespace surprisal {
namespace {

template <typename T>
void extend(std::vector<T>& values, const std::vector<T>& more) {
  values.insert(values.end(), more.begin(), more.end());
}

}  // namespace

void append(Stream& stream, const Stream& sample) {
  std::int32_t moved = stream.size();
  extend(stream.token, sample.token);
  extend(stream.position, sample.position);
  extend(stream.block_position, sample.block_position);
  extend(stream.segment, sample.segment);
  for (Interval visible : sample.visible) {
    stream.visible.push_back({visible.begin + moved, visible.end + moved});
  }
  for (Target target : sample.target) {
    target.row += moved;
    stream.target.push_back(target);
  }
  const auto moved_targets = static_cast<std::int32_t>(stream.target.size() - sample.target.size());
  for (Choice choice : sample.choice) {
    for (Interval& option : choice.option) {
      option = {option.begin + moved_targets, option.end + moved_targets};
    }
    stream.choice.push_back(std::move(choice));
  }
  for (Label label : sample.label) {
    label.row += moved;
    stream.label.push_back(label);
  }
  for (Sequence sequence : sample.sequence) {
    sequence.begin += moved;
    sequence.end += moved;
    stream.sequence.push_back(sequence);
  }
}

std::vector<std::vector<std::int32_t>> pack_best_fit(std::span<const std::int32_t> lengths,
                                                     std::int32_t capacity) {
  std::vector<std::int32_t> longest_first(lengths.size());
  std::iota(longest_first.begin(), longest_first.end(), 0);
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [&](std::int32_t a, std::int32_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<std::int32_t>> packs;
  std::set<std::pair<std::int32_t, std::size_t>>
      open;  // (room, pack): the first that has room is the fullest
  for (std::int32_t sample : longest_first) {
    std::int32_t length = lengths[sample];
    auto fullest = open.lower_bound({length, 0});
    std::pair<std::int32_t, std::size_t> place{capacity, packs.size()};
    if (fullest != open.end()) {
      place = *fullest;
      open.erase(fullest);
    } else {
      packs.emplace_back();
    }
    packs[place.second].push_back(sample);
    if (place.first > length) open.insert({place.first - length, place.second});
  }
  for (auto& pack : packs) std::sort(pack.begin(), pack.end());
  return packs;
}

}  // namespace surprisal
