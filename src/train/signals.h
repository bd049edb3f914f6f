// Signals as requests to a run.
#pragma once

#include <array>

#include <signal.h>

#include "surprisal/train.h"

namespace surprisal {

// While it lives, the first SIGINT or SIGTERM asks the run to stop, a second one ends the process at once (as
// the signal does by default), and SIGUSR1 asks it to save. One at a time; what was set before is restored.
class SignalRequests {
 public:
  explicit SignalRequests(Requests& requests);
  ~SignalRequests();
  SignalRequests(const SignalRequests&) = delete;
  SignalRequests& operator=(const SignalRequests&) = delete;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGUSR1};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace surprisal
