#include "text/tokenizer/bpe_merges.h"

#include <algorithm>
#include <queue>

namespace surprisal {
namespace {

// Up to so many tokens, looking at every pair for each merge beats a heap. Places fit into a byte.
constexpr std::size_t kShortWord = 192;

// The pairs of a short word's neighbours as rank and place in one number, so that the smallest is the next to
// merge. A token that was joined to the one before it leaves its place empty.
struct ShortWord {
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  std::uint64_t pair[kShortWord + 4];  // of each token with the next; kNone where there is no merge
  std::int32_t merged[kShortWord];     // what the pair becomes
  std::uint8_t previous[kShortWord], next[kShortWord];

  // Four minima side by side: one alone would wait for its last comparison at every step.
  std::uint64_t smallest(std::size_t size) const {
    std::uint64_t least[4] = {kNone, kNone, kNone, kNone};
    for (std::size_t i = 0; i < size; i += 4) {
      for (std::size_t k = 0; k < 4; ++k) least[k] = std::min(least[k], pair[i + k]);
    }
    return std::min(std::min(least[0], least[1]), std::min(least[2], least[3]));
  }
};

}  // namespace

void BpeMerges::add(std::int32_t left, std::int32_t right, std::uint32_t rank, std::int32_t merged) {
  merges_(static_cast<std::uint32_t>(left), static_cast<std::uint32_t>(right)) = {rank, merged};
}

void BpeMerges::apply(std::vector<WordToken>& tokens, std::size_t first) const {
  std::size_t size = tokens.size() - first;
  if (size < 2) return;
  size <= kShortWord ? apply_short(tokens, first) : apply_long(tokens, first);
}

void BpeMerges::apply_short(std::vector<WordToken>& tokens, std::size_t first) const {
  WordToken* word = tokens.data() + first;
  std::size_t size = tokens.size() - first;
  ShortWord pairs;
  auto look_up = [&](std::size_t left, std::size_t right) {
    const Merge* merge = find(word[left].id, word[right].id);
    pairs.pair[left] = merge ? std::uint64_t{merge->rank} << 32 | left : ShortWord::kNone;
    pairs.merged[left] = merge ? merge->id : 0;
  };
  for (std::size_t i = 0; i < size; ++i) {
    pairs.previous[i] = static_cast<std::uint8_t>(i - 1);
    pairs.next[i] = static_cast<std::uint8_t>(i + 1);
    if (i + 1 < size) look_up(i, i + 1);
  }
  std::fill(pairs.pair + size - 1, pairs.pair + size + 3, ShortWord::kNone);
  for (std::uint64_t best; (best = pairs.smallest(size)) != ShortWord::kNone;) {
    std::size_t left = best & 0xFF, right = pairs.next[left], after = pairs.next[right];
    word[left].id = pairs.merged[left];
    pairs.next[left] = static_cast<std::uint8_t>(after);
    pairs.pair[left] = pairs.pair[right] = ShortWord::kNone;
    if (after < size) {
      pairs.previous[after] = static_cast<std::uint8_t>(left);
      look_up(left, after);
    }
    if (left > 0) look_up(pairs.previous[left], left);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size; i = pairs.next[i]) word[kept++] = word[i];
  tokens.resize(first + kept);
}

void BpeMerges::apply_long(std::vector<WordToken>& tokens, std::size_t first) const {
  struct Candidate {
    std::uint32_t rank, at;
    std::int32_t left, right;  // the pair it was found for: stale when one of the two has been merged since
    std::int32_t id;
    bool operator<(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  constexpr std::uint32_t kEnd = ~std::uint32_t{0};
  constexpr std::int32_t kMerged = -1;
  WordToken* word = tokens.data() + first;
  auto size = static_cast<std::uint32_t>(tokens.size() - first);
  std::vector<std::uint32_t> previous(size), next(size);
  std::priority_queue<Candidate> queue;
  auto consider = [&](std::uint32_t left, std::uint32_t right) {
    const Merge* merge = find(word[left].id, word[right].id);
    if (merge) queue.push({merge->rank, left, word[left].id, word[right].id, merge->id});
  };
  for (std::uint32_t i = 0; i < size; ++i) {
    previous[i] = i - 1;  // kEnd for the first
    next[i] = i + 1 < size ? i + 1 : kEnd;
    if (i + 1 < size) consider(i, i + 1);
  }
  while (!queue.empty()) {
    Candidate top = queue.top();
    queue.pop();
    std::uint32_t right = next[top.at];
    if (word[top.at].id != top.left || right == kEnd || word[right].id != top.right) continue;
    word[top.at].id = top.id;
    word[right].id = kMerged;
    next[top.at] = next[right];
    if (next[right] != kEnd) {
      previous[next[right]] = top.at;
      consider(top.at, next[right]);
    }
    if (previous[top.at] != kEnd) consider(previous[top.at], top.at);
  }
  auto merged = [](WordToken token) { return token.id == kMerged; };
  tokens.erase(std::remove_if(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end(), merged),
               tokens.end());
}

}  // namespace surprisal
