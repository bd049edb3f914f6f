#include "text/tokenizer/word_cache.h"

#include <utility>

#include <xxhash.h>

namespace surprisal {
namespace {

constexpr std::size_t kMaxWord = 64;  // bytes; longer words seldom come again
constexpr std::size_t kMinSlots = 1 << 10;
constexpr std::size_t kMaxSlots = 1 << 16;  // so about 4 MiB a cache

}  // namespace

std::span<const WordToken> WordCache::tokens(std::string_view word, bool bytes, const TokenModel& model) {
  if (word.size() > kMaxWord) return ask(word, bytes, model);
  if (2 * (used_ + 1) > slots_.size()) grow();
  std::uint64_t hash = XXH3_64bits(word.data(), word.size());
  std::size_t mask = slots_.size() - 1, at = hash & mask;
  for (; slots_[at].size != 0; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.hash != hash || std::string_view(words_).substr(slot.word, slot.size) != word) continue;
    return std::span(tokens_).subspan(slot.tokens, slot.count);
  }
  ask(word, bytes, model);
  insert(at, hash, word);
  return scratch_;
}

std::span<const WordToken> WordCache::ask(std::string_view word, bool bytes, const TokenModel& model) {
  scratch_.clear();
  bytes ? model.tokenize_bytes(word, scratch_) : model.tokenize(word, scratch_);
  return scratch_;
}

void WordCache::insert(std::size_t slot, std::uint64_t hash, std::string_view word) {
  slots_[slot] = {hash, static_cast<std::uint32_t>(words_.size()), static_cast<std::uint32_t>(word.size()),
                  static_cast<std::uint32_t>(tokens_.size()), static_cast<std::uint32_t>(scratch_.size())};
  ++used_;
  words_ += word;
  tokens_.insert(tokens_.end(), scratch_.begin(), scratch_.end());
}

void WordCache::grow() {
  std::vector<Slot> old = std::move(slots_);
  if (old.size() == kMaxSlots) {
    old.clear();
    words_.clear();
    tokens_.clear();
    used_ = 0;
    slots_.assign(kMaxSlots, {});
    return;
  }
  slots_.assign(old.empty() ? kMinSlots : 2 * old.size(), {});
  for (const Slot& slot : old) {
    if (slot.size == 0) continue;
    std::size_t at = slot.hash & (slots_.size() - 1);
    while (slots_[at].size != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

std::unique_ptr<WordCache> WordCachePool::take() {
  std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<WordCache>();
  std::unique_ptr<WordCache> cache = std::move(idle_.back());
  idle_.pop_back();
  return cache;
}

void WordCachePool::give_back(std::unique_ptr<WordCache> cache) noexcept {
  std::lock_guard lock(mutex_);
  try {
    idle_.push_back(std::move(cache));
  } catch (const std::exception&) {
    // Without memory to keep the cache it is let go.
  }
}

}  // namespace surprisal
