// Whether stored numbers are numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/safetensors.h"

namespace surprisal {

struct NonfiniteElement {
  std::vector<std::int64_t> index;  // one an axis
  double value = 0;                 // NaN or an infinity
};

// The first element of F64, F32, F16 or BF16 that is not finite; absent where there is none, and for tensors
// of other dtypes.
std::optional<NonfiniteElement> first_nonfinite(const StoredTensor& tensor);

}  // namespace surprisal
