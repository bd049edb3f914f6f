// How fast a run goes: over all steps of this process, and over the last ones.
#pragma once

#include <cstdint>

#include "train/training_step.h"

namespace surprisal {

class Throughput {
 public:
  void add(const StepResult& result, double seconds);

  double seconds() const { return seconds_; }  // in steps, without evaluations and saves
  // Of all steps; 0 before the first.
  double tokens_per_second() const { return seconds_ > 0 ? tokens_ / seconds_ : 0; }
  double flops_per_second() const { return seconds_ > 0 ? flops_ / seconds_ : 0; }
  // A step counts 0.9 times as much as the one behind it. REQUIRES a step.
  double recent_tokens_per_second() const { return recent_tokens_ / recent_seconds_; }
  double recent_flops_per_second() const { return recent_flops_ / recent_seconds_; }

 private:
  double seconds_ = 0, tokens_ = 0, flops_ = 0;
  double recent_seconds_ = 0, recent_tokens_ = 0, recent_flops_ = 0;
};

}  // namespace surprisal
