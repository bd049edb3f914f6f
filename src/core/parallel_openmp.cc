#include <algorithm>
#include <atomic>
#include <future>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <omp.h>

#include "surprisal/error.h"

#include "core/parallel.h"
#include "core/parallel_state.h"

namespace surprisal {
namespace {
// OpenMP's own setting belongs to the calling thread; ours is the process's.
std::atomic<int> thread_count{0};

// A library that a block calls (oneDNN) asks OpenMP how many threads it may use. Within a parallel region
// that is one; a block that runs on the calling thread has no region around it and must say so itself.
class OneThread {
 public:
  OneThread() { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_ = omp_get_max_threads();
};

// libgomp ends the process where it cannot start a thread (`ulimit -u`, the limits of a container, no address
// space for a stack). So that it can is tried first, once for each larger team.
void require_threads(int team) {
  static std::atomic<int> had{1};
  if (team <= had.load(std::memory_order_relaxed)) return;
  std::vector<std::thread> others;
  std::promise<void> all;
  std::shared_future<void> started = all.get_future().share();
  int missing = team - 1;
  try {
    for (; missing > 0; --missing) others.emplace_back([started] { started.wait(); });
  } catch (const std::system_error&) {
    // said below, once those that did start have ended
  }
  all.set_value();
  for (std::thread& other : others) other.join();
  if (missing > 0) {
    throw Error(ErrorKind::memory, {.what = fmt::format("cannot start {} threads", team),
                                    .found = fmt::format("{}", team - missing),
                                    .fix = "lower train.threads or OMP_NUM_THREADS, or raise what limits "
                                           "processes and memory (ulimit -u, ulimit -v)"});
  }
  had = team;
}
}  // namespace

void set_threads(int count) {
  thread_count = std::max(1, count);
}

int threads() {
  static const int at_start = omp_get_max_threads();  // OMP_NUM_THREADS, else the cores of this process
  int count = thread_count;
  return count > 0 ? count : at_start;
}

namespace detail {

void run_blocks(std::int64_t blocks, BlockFunction function, void* context) {
  int team = static_cast<int>(std::min<std::int64_t>(threads(), blocks));
  if (team <= 1 || InsideBlocks::here() || omp_in_parallel()) {
    OneThread alone;
    return run_alone(blocks, function, context);
  }
  require_threads(team);
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
