// Memory for one case of a benchmark: in huge pages, as a model's is, and filled with small random numbers.
#pragma once

#include <memory>
#include <vector>

#include "core/arena.h"

namespace surprisal::bench {

class Operands {
 public:
  Tensor take(Shape shape);  // uniform in [-0.5, 0.5)
  Tensor take_zeros(Shape shape);

 private:
  std::vector<std::unique_ptr<Arena>> arenas_;
};

}  // namespace surprisal::bench
