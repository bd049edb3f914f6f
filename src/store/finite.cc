#include "store/finite.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/parallel.h"
#include "store/widen.h"

namespace surprisal {
namespace {

constexpr std::int64_t kBlock = std::int64_t{1} << 16;
constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

// Elements [begin, end) as double, which holds every one of these dtypes.
std::vector<double> read_doubles(const StoredTensor& tensor, std::int64_t begin, std::int64_t end) {
  std::vector<double> values(static_cast<std::size_t>(end - begin));
  if (tensor.dtype == "F64") {
    std::memcpy(values.data(), tensor.bytes.data() + static_cast<std::size_t>(begin) * sizeof(double),
                values.size() * sizeof(double));
    return values;
  }
  std::vector<float> narrow(values.size());
  widen(tensor, begin, narrow);
  std::copy(narrow.begin(), narrow.end(), values.begin());
  return values;
}

std::int64_t first_of(const StoredTensor& tensor, std::int64_t begin, std::int64_t end) {
  const std::vector<double> values = read_doubles(tensor, begin, end);
  const auto found = std::find_if(values.begin(), values.end(), [](double v) { return !std::isfinite(v); });
  return found == values.end() ? kNone : begin + (found - values.begin());
}

std::vector<std::int64_t> index_of(std::int64_t element, const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    index[axis] = element % shape[axis];
    element /= shape[axis];
  }
  return index;
}

}  // namespace

std::optional<NonfiniteElement> first_nonfinite(const StoredTensor& tensor) {
  if (tensor.dtype != "F64" && !can_widen(tensor.dtype)) return std::nullopt;
  std::atomic<std::int64_t> first{kNone};
  parallel_ranges(tensor.elements(), kBlock, [&](std::int64_t begin, std::int64_t end, int) {
    if (begin > first.load(std::memory_order_relaxed)) return;  // an earlier block has one
    const std::int64_t found = first_of(tensor, begin, end);
    std::int64_t known = first.load();
    while (found < known && !first.compare_exchange_weak(known, found)) {
    }
  });
  const std::int64_t element = first.load();
  if (element == kNone) return std::nullopt;
  return NonfiniteElement{index_of(element, tensor.shape), read_doubles(tensor, element, element + 1)[0]};
}

}  // namespace surprisal
