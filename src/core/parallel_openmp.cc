#include <algorithm>
#include <atomic>

#include <omp.h>

#include "core/parallel.h"
#include "core/parallel_state.h"

namespace surprisal {
namespace {
// OpenMP's own setting belongs to the calling thread; ours is the process's.
std::atomic<int> thread_count{0};
}  // namespace

void set_threads(int count) {
  thread_count = std::max(1, count);
}

int threads() {
  int count = thread_count;
  return count > 0 ? count : omp_get_num_procs();
}

namespace detail {

void run_blocks(std::int64_t blocks, BlockFunction function, void* context) {
  int team = static_cast<int>(std::min<std::int64_t>(threads(), blocks));
  if (team <= 1 || InsideBlocks::here() || omp_in_parallel()) return run_alone(blocks, function, context);
  FirstException failure;
#pragma omp parallel num_threads(team)
  {
    InsideBlocks inside;
#pragma omp for schedule(monotonic : dynamic, 1)
    for (std::int64_t block = 0; block < blocks; ++block) {
      if (failure.skips(block)) continue;
      try {
        function(context, block, omp_get_thread_num());
      } catch (...) {
        failure.capture(block);
      }
    }
  }
  failure.rethrow();
}

}  // namespace detail
}  // namespace surprisal
