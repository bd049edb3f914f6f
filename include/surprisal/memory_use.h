// Memory by what it is for.
#pragma once

#include <cstddef>
#include <string>

namespace surprisal {

struct MemoryUse {
  std::string kind;  // "weights", "gradients", "activations", "workspace"
  std::size_t bytes = 0;
};

}  // namespace surprisal
