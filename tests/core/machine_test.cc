#include "core/machine.h"

#include <cstring>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/arena.h"
#include "core/parallel.h"

namespace surprisal {
namespace {

TEST(Machine, IsDescribed) {
  Machine machine = describe_machine();
  EXPECT_NE(machine.cpu, "");
  EXPECT_NE(machine.simd, "");
  EXPECT_GE(machine.cores, 1);
  EXPECT_GT(machine.memory, std::int64_t{1} << 26);
  EXPECT_GT(machine.memory_available, 0);
  EXPECT_LE(machine.memory_available, machine.memory);
}

TEST(Machine, PeaksArePlausible) {
  // Between a slow scalar unit and more than any CPU has: a loop that the compiler dropped would be far
  // above.
  double peak = measure_f32_peak(0.002);
  EXPECT_GT(peak, 0.05);
  EXPECT_LT(peak, 2000.0 * threads());
  double bandwidth = measure_read_bandwidth(0.003);
  EXPECT_GT(bandwidth, 0.01);
  EXPECT_LT(bandwidth, 10'000);
}

TEST(AnonymousMemory, GrowsByWhatIsReserved) {
  constexpr std::int64_t kBytes = std::int64_t{64} << 20;
  std::int64_t before = anonymous_memory();
  EXPECT_GT(before, 0);
  {
    Arena arena("weights");
    arena.take({kBytes / 4});
    arena.reserve();
    EXPECT_GE(anonymous_memory() - before, kBytes * 7 / 8);
#ifndef __SANITIZE_THREAD__  // whose shadow of the memory is anonymous memory too
    EXPECT_LE(anonymous_memory() - before, kBytes * 9 / 8);
#endif
  }
  EXPECT_LT(anonymous_memory() - before, kBytes / 8);
}

}  // namespace
}  // namespace surprisal
