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

// Belongs to one call at a time. Forgets everything when it is full, so its memory is bounded.
class WordCache {
 public:
  // The tokens of `word`, from the cache or from `model`; `bytes` as in Words. Good until the next call. All
  // calls must have the same model, and `bytes` must be the same.
  std::span<const WordToken> tokens(std::string_view word, bool bytes, const TokenModel& model);

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t word = 0, size = 0;  // bytes of words_; a size of 0: free
    std::uint32_t tokens = 0, count = 0;
  };

  std::span<const WordToken> ask(std::string_view word, bool bytes, const TokenModel& model);
  void insert(std::size_t slot, std::uint64_t hash, std::string_view word);
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half of them used
  std::size_t used_ = 0;
  std::string words_;
  std::vector<WordToken> tokens_, scratch_;
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
