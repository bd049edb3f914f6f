// Inputs for the tests of ops: normal numbers, the same for a seed on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"

namespace surprisal {

inline std::vector<float> normal_values(std::int64_t size, std::uint64_t seed, double scale = 1,
                                        double offset = 0) {
  Random random({.seed = seed});
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(offset + scale * random.normal());
  return values;
}

}  // namespace surprisal
