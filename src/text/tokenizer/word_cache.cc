#include "text/tokenizer/word_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace surprisal {
namespace {

constexpr std::size_t kPlaces = 1 << 14;  // so 2 MiB a cache

// Of 1 to 22 bytes, all of which are read at once.
std::uint64_t hash_of(std::string_view word) {
  auto read = [&](std::size_t at, std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, word.data() + at, size);
    return value;
  };
  std::uint64_t hash = word.size() * 0x9E3779B97F4A7C15u;
  auto mix = [&](std::uint64_t value) {
    hash = (hash ^ value) * 0xD6E8FEB86659FD93u;
    hash ^= hash >> 32;
  };
  if (word.size() >= 8) {
    mix(read(0, 8));
    if (word.size() > 16) mix(read(8, 8));
    mix(read(word.size() - 8, 8));
  } else if (word.size() >= 4) {
    mix(read(0, 4) << 32 | read(word.size() - 4, 4));
  } else {
    auto byte = [&](std::size_t at) { return std::uint64_t{static_cast<unsigned char>(word[at])}; };
    mix(byte(0) << 16 | byte(word.size() / 2) << 8 | byte(word.size() - 1));
  }
  return hash;
}

}  // namespace

WordCache::WordCache() : entries_(2 * kPlaces) {}

std::span<const WordToken> WordCache::tokens(std::string_view word, bool bytes, const TokenModel& model) {
  if (word.empty() || word.size() > Entry::kBytes) return ask(word, bytes, model);
  Entry* place = &entries_[2 * (hash_of(word) & (kPlaces - 1))];
  for (Entry* entry : {place, place + 1}) {
    if (std::string_view(entry->word, entry->size) == word) return {entry->tokens, entry->count};
  }
  ask(word, bytes, model);
  if (scratch_.size() > Entry::kTokens) return scratch_;
  place[1] = place[0];
  place->size = static_cast<std::uint8_t>(word.size());
  place->count = static_cast<std::uint8_t>(scratch_.size());
  std::copy(word.begin(), word.end(), place->word);
  std::copy(scratch_.begin(), scratch_.end(), place->tokens);
  return scratch_;
}

std::span<const WordToken> WordCache::ask(std::string_view word, bool bytes, const TokenModel& model) {
  scratch_.clear();
  bytes ? model.tokenize_bytes(word, scratch_) : model.tokenize(word, scratch_);
  return scratch_;
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
