// Runs a check on every instruction set that this CPU and the kernels have, and for several numbers of
// threads.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "core/parallel.h"

namespace surprisal {

template <class Check>
void on_every_instruction_set(const Check& check) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    check();
    hwy::SetSupportedTargetsForTest(0);
  }
}

// EXPECTs that `run` (nothing -> something comparable by `same`) gives the same for 1, 2 and 3 threads.
template <class Run, class Same>
void expect_same_for_any_threads(const Run& run, const Same& same) {
  const int before = threads();
  set_threads(1);
  const auto alone = run();
  for (int count : {2, 3}) {
    set_threads(count);
    EXPECT_TRUE(same(alone, run())) << count << " threads";
  }
  set_threads(before);
}

}  // namespace surprisal
