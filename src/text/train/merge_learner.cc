#include "text/train/merge_learner.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>

namespace surprisal {
namespace {

constexpr std::uint64_t kMergesPerReport = 256;

using PairKey = std::uint64_t;  // left in the high half, so that keys order as pairs do

PairKey key_of(std::uint32_t left, std::uint32_t right) {
  return PairKey{left} << 32 | right;
}

struct PairHash {
  std::size_t operator()(PairKey key) const {
    key *= 0x9E3779B97F4A7C15;
    return key ^ key >> 32;
  }
};

struct PairState {
  std::int64_t count = 0;            // occurrences in the corpus
  std::vector<std::uint32_t> words;  // where it occurs, or did; a word may be there twice
};

struct Candidate {
  std::int64_t count;
  PairKey pair;
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class MergeLearner {
 public:
  MergeLearner(TokenisedWords words, std::vector<std::string> tokens, std::string_view continuation)
      : words_(std::move(words)), continuation_(continuation) {
    result_.tokens = std::move(tokens);
    for (std::uint32_t id = 0; id < result_.tokens.size(); ++id) id_of_.emplace(result_.tokens[id], id);
    count_pairs();
  }

  std::size_t size() const { return result_.tokens.size(); }
  LearntMerges take() { return std::move(result_); }

  // False where no pair is left.
  bool merge_next() {
    while (!candidates_.empty()) {
      Candidate top = candidates_.top();
      candidates_.pop();
      // Counts fall without their candidates being told; a candidate that is too high goes back with the true
      // count.
      std::int64_t count = pairs_[top.pair].count;
      if (count == top.count) {
        merge(top.pair);
        return true;
      }
      if (count > 0 && count < top.count) candidates_.push({count, top.pair});
    }
    return false;
  }

 private:
  void count_pairs() {
    for (std::uint32_t word = 0; word < words_.size.size(); ++word) {
      const std::uint32_t* token = words_.tokens.data() + words_.begin[word];
      for (std::uint32_t i = 1; i < words_.size[word]; ++i) add(key_of(token[i - 1], token[i]), word);
    }
    for (const auto& [pair, state] : pairs_) candidates_.push({state.count, pair});
  }

  void add(PairKey pair, std::uint32_t word) {
    PairState& state = pairs_[pair];
    state.count += static_cast<std::int64_t>(words_.count[word]);
    if (state.words.empty() || state.words.back() != word) state.words.push_back(word);
  }

  void remove(PairKey pair, std::uint32_t word) {
    pairs_[pair].count -= static_cast<std::int64_t>(words_.count[word]);
  }

  void merge(PairKey pair) {
    auto left = static_cast<std::uint32_t>(pair >> 32), right = static_cast<std::uint32_t>(pair);
    std::uint32_t merged = merged_id(left, right);
    // A pair that was merged before comes back where its token was already there under that spelling.
    if (done_.insert(pair).second) result_.merges.push_back({left, right});
    std::vector<std::uint32_t> words = std::move(pairs_[pair].words);
    pairs_[pair].words = {};
    grown_.clear();
    for (std::uint32_t word : words) merge_in_word(word, left, right, merged);
    std::sort(grown_.begin(), grown_.end());
    grown_.erase(std::unique(grown_.begin(), grown_.end()), grown_.end());
    for (PairKey grown : grown_) {
      std::int64_t count = pairs_[grown].count;
      if (count > 0) candidates_.push({count, grown});
    }
  }

  std::uint32_t merged_id(std::uint32_t left, std::uint32_t right) {
    std::string_view tail = result_.tokens[right];
    if (!continuation_.empty() && tail.starts_with(continuation_)) tail.remove_prefix(continuation_.size());
    std::string spelling = result_.tokens[left] + std::string(tail);
    auto [found, is_new] = id_of_.emplace(spelling, static_cast<std::uint32_t>(size()));
    if (is_new) result_.tokens.push_back(std::move(spelling));
    return found->second;
  }

  void merge_in_word(std::uint32_t word, std::uint32_t left, std::uint32_t right, std::uint32_t merged) {
    std::uint32_t* token = words_.tokens.data() + words_.begin[word];
    std::uint32_t size = words_.size[word], kept = 0;
    for (std::uint32_t i = 0; i < size; ++kept) {
      if (i + 1 == size || token[i] != left || token[i + 1] != right) {
        token[kept] = token[i++];
        continue;
      }
      remove(key_of(left, right), word);
      if (kept > 0) replace(key_of(token[kept - 1], left), key_of(token[kept - 1], merged), word);
      if (i + 2 < size) replace(key_of(right, token[i + 2]), key_of(merged, token[i + 2]), word);
      token[kept] = merged;
      i += 2;
    }
    words_.size[word] = kept;
  }

  void replace(PairKey before, PairKey after, std::uint32_t word) {
    remove(before, word);
    add(after, word);
    grown_.push_back(after);
  }

  TokenisedWords words_;
  std::string_view continuation_;
  LearntMerges result_;
  std::unordered_map<std::string, std::uint32_t> id_of_;
  std::unordered_map<PairKey, PairState, PairHash> pairs_;
  std::unordered_set<PairKey, PairHash> done_;
  std::priority_queue<Candidate> candidates_;
  std::vector<PairKey> grown_;  // pairs that became more frequent in the merge under way
};

}  // namespace

LearntMerges learn_merges(TokenisedWords words, std::vector<std::string> tokens, std::size_t vocabulary_size,
                          std::string_view continuation,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  MergeLearner learner(std::move(words), std::move(tokens), continuation);
  std::size_t reported = learner.size();
  while (learner.size() < vocabulary_size && learner.merge_next()) {
    if (!progress || learner.size() < reported + kMergesPerReport) continue;
    reported = learner.size();
    progress(reported, vocabulary_size);
  }
  if (progress) progress(learner.size(), vocabulary_size);
  return learner.take();
}

}  // namespace surprisal
