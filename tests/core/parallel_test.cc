#include "core/parallel.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace surprisal {
namespace {

class Parallel : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_threads(GetParam()); }
  void TearDown() override { set_threads(before_); }

 private:
  int before_ = threads();
};
INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 3, 7, 16));

TEST_P(Parallel, RunsEveryBlockOnce) {
  for (std::int64_t blocks : {0, 1, 2, 3, 5, 16, 1000}) {
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(blocks));
    parallel_for(blocks, [&](std::int64_t block, int thread) {
      ++runs[static_cast<std::size_t>(block)];
      EXPECT_GE(thread, 0);
      EXPECT_LT(thread, GetParam());
    });
    for (const auto& count : runs) EXPECT_EQ(count, 1);
  }
}

TEST_P(Parallel, NoTwoBlocksShareAThreadAtOnce) {
  std::vector<std::atomic<int>> busy(16);
  parallel_for(200, [&](std::int64_t, int thread) {
    EXPECT_EQ(busy[static_cast<std::size_t>(thread)]++, 0);
    std::this_thread::yield();
    --busy[static_cast<std::size_t>(thread)];
  });
}

TEST_P(Parallel, RangesCoverTheWholeAndNoMore) {
  for (std::int64_t size : {0, 1, 9, 10, 11, 1003}) {
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(size));
    parallel_ranges(size, 10, [&](std::int64_t begin, std::int64_t end, int) {
      EXPECT_EQ(begin % 10, 0);
      EXPECT_LE(end - begin, 10);
      for (std::int64_t i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
    });
    for (const auto& count : seen) EXPECT_EQ(count, 1);
  }
}

// A float sum by blocks, whose bits would differ if blocks followed the number of threads.
float sum_by_blocks() {
  constexpr std::int64_t kSize = 10'007, kBlock = 64;
  std::vector<float> partial((kSize + kBlock - 1) / kBlock);
  parallel_ranges(kSize, kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    float sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += 1.0f / static_cast<float>(i + 1);
    partial[static_cast<std::size_t>(begin / kBlock)] = sum;
  });
  float sum = 0;
  for (float part : partial) sum += part;
  return sum;
}

TEST_P(Parallel, ResultsHaveTheSameBitsForAnyNumberOfThreads) {
  float here = sum_by_blocks();
  set_threads(1);
  EXPECT_EQ(here, sum_by_blocks());
}

TEST_P(Parallel, ThrowsTheExceptionOfTheLowestBlock) {
  for (int repetition = 0; repetition < 50; ++repetition) {
    try {
      parallel_for(64, [&](std::int64_t block, int) {
        if (block == 5)
          std::this_thread::sleep_for(std::chrono::microseconds(200));  // others throw before it
        if (block >= 5) throw std::runtime_error(std::to_string(block));
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      ASSERT_STREQ(error.what(), "5");
    }
  }
}

TEST_P(Parallel, EndsEarlyAfterAnException) {
  std::atomic<int> started{0};
  EXPECT_THROW(parallel_for(1'000'000,
                            [&](std::int64_t block, int) {
                              ++started;
                              if (block == 0) throw std::runtime_error("stop");
                              std::this_thread::sleep_for(std::chrono::microseconds(100));
                            }),
               std::runtime_error);
  EXPECT_LT(started, 100'000);
}

TEST_P(Parallel, WorksAgainAfterAnException) {
  EXPECT_THROW(parallel_for(8, [](std::int64_t, int) { throw std::runtime_error("once"); }),
               std::runtime_error);
  std::atomic<int> runs{0};
  parallel_for(8, [&](std::int64_t, int) { ++runs; });
  EXPECT_EQ(runs, 8);
}

TEST_P(Parallel, ANestedLoopStaysOnItsThread) {
  for (std::int64_t outer : {1, 4}) {
    std::atomic<int> runs{0};
    parallel_for(outer, [&](std::int64_t, int) {
      std::thread::id here = std::this_thread::get_id();
      parallel_for(10, [&](std::int64_t, int thread) {
        EXPECT_EQ(thread, 0);
        EXPECT_EQ(std::this_thread::get_id(), here);
        ++runs;
      });
    });
    EXPECT_EQ(runs, outer * 10);
  }
}

TEST_P(Parallel, AnExceptionOfANestedLoopComesOut) {
  EXPECT_THROW(parallel_for(4,
                            [](std::int64_t, int) {
                              parallel_for(4, [](std::int64_t inner, int) {
                                if (inner == 2) throw std::out_of_range("inner");
                              });
                            }),
               std::out_of_range);
}

TEST_P(Parallel, UsesThatManyThreads) {
  std::atomic<int> waiting{0};
  // Each block waits until all are running: this ends only if there is a thread for each of them.
  parallel_for(GetParam(), [&](std::int64_t, int) {
    ++waiting;
    while (waiting < GetParam()) std::this_thread::yield();
  });
  EXPECT_EQ(waiting, GetParam());
}

TEST(Threads, AreAtLeastOne) {
  int before = threads();
  EXPECT_GE(before, 1);
  set_threads(0);
  EXPECT_EQ(threads(), 1);
  set_threads(-3);
  EXPECT_EQ(threads(), 1);
  set_threads(before);
}

}  // namespace
}  // namespace surprisal
