// Floating-point operations of a pass: multiply-adds of every matrix product counted twice, visible pairs
// only, scored rows only, and of the gradients those alone that lead to something that is trained.
#pragma once

#include "surprisal/stream.h"

#include "model/config.h"

namespace surprisal {

class FlopCount {
 public:
  explicit FlopCount(const ModelConfig& config);
  double forward(const Stream& stream) const { return count(stream, forward_); }
  double forward_backward(const Stream& stream) const {
    return count(stream, forward_) + count(stream, backward_);
  }

 private:
  struct Each {
    double row = 0, pair = 0, target = 0, label = 0;
  };
  double count(const Stream& stream, const Each& each) const;

  double prefix_;  // keys that every row sees besides
  Each forward_, backward_;
};

}  // namespace surprisal
