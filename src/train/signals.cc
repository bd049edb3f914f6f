#include "train/signals.h"

#include <pthread.h>

namespace surprisal {
namespace {

// The default action, in the thread that takes the signals.
void end_at_once(int signal) {
  ::signal(signal, SIG_DFL);
  sigset_t alone;
  sigemptyset(&alone);
  sigaddset(&alone, signal);
  pthread_sigmask(SIG_UNBLOCK, &alone, nullptr);
  raise(signal);
}

}  // namespace

SignalRequests::SignalRequests(Requests& requests) : requests_(requests) {
  sigemptyset(&signals_);
  for (int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  waiting_ = std::thread([this] { wait(); });
}

SignalRequests::~SignalRequests() {
  ending_.store(true);
  pthread_kill(waiting_.native_handle(), SIGUSR1);
  waiting_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void SignalRequests::wait() {
  for (int signal = 0; sigwait(&signals_, &signal) == 0 && !ending_.load();) {
    if (signal == SIGUSR1) {
      requests_.save();
    } else if (requests_.stopping() == 0) {
      requests_.stop(signal);
    } else {
      end_at_once(signal);
    }
  }
}

}  // namespace surprisal
