// Words and their tokens, for words come again and again: most of a text is a few thousand of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/components.h"

namespace surprisal {

// Belongs to one call at a time. A word takes the place of an older one, so its memory is bounded.
class WordCache {
 public:
  WordCache();

  // The tokens of `word`, from the cache or from `model`; `bytes` as in Words. Good until the next call. All
  // calls must have the same model and the same `bytes`.
  std::span<const WordToken> tokens(std::string_view word, bool bytes, const TokenModel& model);

 private:
  // One line of the processor's cache, so that a word costs one access to memory. Longer words, and words of
  // more tokens, seldom come again.
  struct alignas(64) Entry {
    static constexpr std::size_t kBytes = 22, kTokens = 5;
    char word[kBytes];
    std::uint8_t size = 0, count = 0;  // a size of 0: free
    WordToken tokens[kTokens];
  };
  static_assert(sizeof(Entry) == 64);

  std::span<const WordToken> ask(std::string_view word, bool bytes, const TokenModel& model);

  std::vector<Entry> entries_;  // by hash, two to a place: the one that came last and the one before it
  std::vector<WordToken> scratch_;
};

// The caches of a tokenizer: a call takes one and gives it back, so that calls that follow one another share
// it, and calls at the same time do not.
class WordCachePool {
 public:
  class Lease {
   public:
    explicit Lease(WordCachePool& pool) : pool_(pool), cache_(pool.take()) {}
    ~Lease() { pool_.give_back(std::move(cache_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    WordCache& operator*() const { return *cache_; }

   private:
    WordCachePool& pool_;
    std::unique_ptr<WordCache> cache_;
  };

 private:
  std::unique_ptr<WordCache> take();
  void give_back(std::unique_ptr<WordCache> cache) noexcept;

  std::mutex mutex_;
  std::vector<std::unique_ptr<WordCache>> idle_;
};

}  // namespace surprisal
