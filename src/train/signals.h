// Signals as requests to a run.
#pragma once

#include <atomic>
#include <thread>

#include <signal.h>

#include "surprisal/train.h"

namespace surprisal {

// While it lives, the first SIGINT or SIGTERM asks the run to stop, a second one ends the process at once (as
// the signal does by default), and SIGUSR1 asks it to save. One at a time; what was blocked before is
// restored.
//
// A thread of its own waits for the signals, and all others must block them: oneDNN's products run with the
// stack pointer in memory of the heap, and what the system lays there to call a handler would overwrite
// whatever stands below. So it is made before any other thread is, which then block what this one does.
class SignalRequests {
 public:
  explicit SignalRequests(Requests& requests);
  ~SignalRequests();
  SignalRequests(const SignalRequests&) = delete;
  SignalRequests& operator=(const SignalRequests&) = delete;

 private:
  void wait();

  Requests& requests_;
  sigset_t signals_{}, before_{};
  std::atomic<bool> ending_{false};
  std::thread waiting_;
};

}  // namespace surprisal
