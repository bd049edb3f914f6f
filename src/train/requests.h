// What the outside may ask of a run while it goes on.
#pragma once

#include <atomic>

namespace surprisal {

// May be set from any thread and from signal handlers; a run looks at it at every micro-batch, and while it
// tokenises and evaluates.
class Requests {
 public:
  // End soon: finish the step, save, and return. `signal` tells the caller why afterwards; not 0.
  void stop(int signal) { stop_.store(signal); }
  // Save at the end of this step and go on.
  void save() { save_.store(true); }

  int stopping() const { return stop_.load(); }  // 0: no
  bool take_save() { return save_.exchange(false); }

 private:
  std::atomic<int> stop_{0};
  std::atomic<bool> save_{false};
};

}  // namespace surprisal
