// What the two implementations of parallel.h share: which exception is thrown, and how loops nest.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>

namespace surprisal::detail {

class FirstException {
 public:
  // Blocks start in ascending order, so every block below one that threw has started. Those are left to run:
  // whichever of them throws, the exception that remains is that of the lowest, on any number of threads.
  bool skips(std::int64_t block) const { return block > block_.load(std::memory_order_relaxed); }
  void capture(std::int64_t block) {
    std::lock_guard lock(mutex_);
    if (block >= block_) return;
    block_ = block;
    exception_ = std::current_exception();
  }
  void rethrow() {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  std::atomic<std::int64_t> block_{std::numeric_limits<std::int64_t>::max()};
  std::exception_ptr exception_;
};

// Marks the calling thread as running blocks, so that a loop within them stays on it.
class InsideBlocks {
 public:
  InsideBlocks() { inside_ = true; }
  ~InsideBlocks() { inside_ = false; }
  InsideBlocks(const InsideBlocks&) = delete;
  InsideBlocks& operator=(const InsideBlocks&) = delete;
  static bool here() { return inside_; }

 private:
  static inline thread_local bool inside_ = false;
};

// The loop on this thread alone: a nested one, or one for which there is nobody to share with.
template <class Function>
void run_alone(std::int64_t blocks, Function function, void* context) {
  if (InsideBlocks::here()) {
    for (std::int64_t block = 0; block < blocks; ++block) function(context, block, 0);
  } else {
    InsideBlocks inside;
    for (std::int64_t block = 0; block < blocks; ++block) function(context, block, 0);
  }
}

}  // namespace surprisal::detail
