#include "core/arena.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <fmt/format.h>
#include <sys/mman.h>

#include "surprisal/error.h"

#include "core/parallel.h"

namespace surprisal {
namespace {

// Large pages keep the TLB out of the GEMMs; the kernel may refuse, which costs speed only.
std::byte* map_memory(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, bytes, MADV_HUGEPAGE);
  return static_cast<std::byte*>(memory);
}

}  // namespace

Arena::~Arena() {
  if (base_ && capacity_) munmap(base_, capacity_);
}

Tensor Arena::take(Shape shape, Dtype dtype) {
  Tensor tensor{.data = nullptr, .shape = shape, .dtype = dtype};
  std::size_t bytes = (tensor.bytes() + kAlignment - 1) / kAlignment * kAlignment;
  if (base_) {
    assert(used_ + bytes <= capacity_ && "an arena must be laid out as it was measured");
    tensor.data = base_ + used_;
  }
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  return tensor;
}

void Arena::reserve() {
  assert(!base_);
  capacity_ = std::max(peak_, kAlignment);
  base_ = map_memory(capacity_);
  if (!base_) {
    throw Error(ErrorKind::memory,
                {.what = fmt::format("cannot reserve {} bytes for {}", capacity_, kind_), .fix = fix_});
  }
  // Touching every page now means that too little memory shows here and not in the middle of the night.
  constexpr std::size_t kBlock = std::size_t{1} << 22;
  parallel_for(static_cast<std::int64_t>((capacity_ + kBlock - 1) / kBlock), [&](std::int64_t block, int) {
    std::size_t begin = static_cast<std::size_t>(block) * kBlock;
    std::memset(base_ + begin, 0, std::min(kBlock, capacity_ - begin));
  });
  used_ = 0;
}

}  // namespace surprisal
