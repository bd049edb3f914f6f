// A parallel loop over fixed blocks. What a block computes depends on its index alone, never on the number of
// threads, so results have the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace surprisal {

// Threads that parallel_for uses from now on; at least 1. Default: OMP_NUM_THREADS, else the cores that this
// process may run on.
void set_threads(int count);
int threads();

namespace detail {
using BlockFunction = void (*)(void* context, std::int64_t block, int thread);
void run_blocks(std::int64_t blocks, BlockFunction function, void* context);
}  // namespace detail

// Calls function(block, thread) once for every block in [0, blocks); thread is in [0, threads()). Blocks
// start in ascending order. An exception ends the loop early and is thrown here: that of the lowest block
// that threw. A parallel_for inside a block runs on that block's thread alone, and its blocks see thread 0.
// Throws Error (memory) where the threads cannot be had.
template <class Function>
void parallel_for(std::int64_t blocks, Function&& function) {
  detail::run_blocks(
      blocks,
      [](void* context, std::int64_t block, int thread) {
        (*static_cast<std::remove_reference_t<Function>*>(context))(block, thread);
      },
      const_cast<void*>(static_cast<const void*>(std::addressof(function))));
}

// The usual case: [0, size) cut into blocks of `block` elements; calls function(begin, end, thread).
template <class Function>
void parallel_ranges(std::int64_t size, std::int64_t block, Function&& function) {
  parallel_for((size + block - 1) / block, [&](std::int64_t index, int thread) {
    std::int64_t begin = index * block;
    std::int64_t end = begin + block < size ? begin + block : size;
    function(begin, end, thread);
  });
}

}  // namespace surprisal
