#include "train/signals.h"

#include <atomic>
#include <cerrno>

namespace surprisal {
namespace {

std::atomic<Requests*> requested{nullptr};

extern "C" void handle(int signal) {
  const int error = errno;  // of whatever was interrupted
  Requests* requests = requested.load();
  if (requests && signal == SIGUSR1) {
    requests->save();
  } else if (requests && requests->stopping() == 0) {
    requests->stop(signal);
  } else {
    // The default action, once this handler returns and the signal is no longer blocked.
    ::signal(signal, SIG_DFL);
    raise(signal);
  }
  errno = error;
}

}  // namespace

SignalRequests::SignalRequests(Requests& requests) {
  requested.store(&requests);
  struct sigaction action {};
  action.sa_handler = handle;
  action.sa_flags = SA_RESTART;  // no read or write is cut short
  sigemptyset(&action.sa_mask);
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
}

SignalRequests::~SignalRequests() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  requested.store(nullptr);
}

}  // namespace surprisal
