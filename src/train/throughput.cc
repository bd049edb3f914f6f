#include "train/throughput.h"

namespace surprisal {

void Throughput::add(const StepResult& result, double seconds) {
  constexpr double kFade = 0.9;
  const double tokens = static_cast<double>(result.tokens);
  seconds_ += seconds;
  tokens_ += tokens;
  flops_ += result.flops;
  recent_seconds_ = kFade * recent_seconds_ + seconds;
  recent_tokens_ = kFade * recent_tokens_ + tokens;
  recent_flops_ = kFade * recent_flops_ + result.flops;
}

}  // namespace surprisal
