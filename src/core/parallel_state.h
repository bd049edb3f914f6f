// What the two implementations of parallel.h share: the first exception by block, and the number of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>

namespace surprisal::detail {

class FirstException {
 public:
  bool any() const { return any_.load(std::memory_order_relaxed); }
  void capture(std::int64_t block) {
    std::lock_guard lock(mutex_);
    if (block < block_) {
      block_ = block;
      exception_ = std::current_exception();
    }
    any_.store(true, std::memory_order_relaxed);
  }
  void rethrow() {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> any_{false};
  std::int64_t block_ = std::numeric_limits<std::int64_t>::max();
  std::exception_ptr exception_;
};

}  // namespace surprisal::detail
