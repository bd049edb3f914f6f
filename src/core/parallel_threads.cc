// For ThreadSanitizer, which does not see libgomp's synchronisation. Same contract, made of std::thread.
#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "core/parallel_state.h"

namespace surprisal {
namespace {
std::atomic<int> thread_count{0};
}  // namespace

void set_threads(int count) {
  thread_count = std::max(1, count);
}

int threads() {
  int count = thread_count;
  return count > 0 ? count : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

namespace detail {

void run_blocks(std::int64_t blocks, BlockFunction function, void* context) {
  int team = static_cast<int>(std::min<std::int64_t>(threads(), blocks));
  if (team <= 1 || InsideBlocks::here()) return run_alone(blocks, function, context);
  FirstException failure;
  std::atomic<std::int64_t> next{0};
  auto work = [&](int thread) {
    InsideBlocks inside;
    for (std::int64_t block; (block = next.fetch_add(1)) < blocks && !failure.skips(block);) {
      try {
        function(context, block, thread);
      } catch (...) {
        failure.capture(block);
      }
    }
  };
  std::vector<std::thread> others;
  for (int thread = 1; thread < team; ++thread) others.emplace_back(work, thread);
  work(0);
  for (std::thread& other : others) other.join();
  failure.rethrow();
}

}  // namespace detail
}  // namespace surprisal
