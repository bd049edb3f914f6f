#include "ops/rotary_cpu.h"

#include <algorithm>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/rotary_cpu.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/vector_loop-inl.h"

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {
namespace {

struct Pair {
  FloatVector first, second;

  HWY_INLINE Pair turned(FloatVector cosine, FloatVector sine) const {
    return {hn::NegMulAdd(second, sine, hn::Mul(first, cosine)),
            hn::MulAdd(first, sine, hn::Mul(second, cosine))};
  }
};

HWY_INLINE FloatVector signed_sine(FloatVector sine, bool back) {
  return back ? hn::Neg(sine) : sine;
}

void rotate_head(std::int64_t pairs, const float* cosines, bool back, float* x) {
  const FloatTag d;
  const float* sines = cosines + pairs;
  float* second = x + pairs;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= pairs; i += lanes) {
    const Pair pair = Pair{hn::LoadU(d, x + i), hn::LoadU(d, second + i)}.turned(
        hn::LoadU(d, cosines + i), signed_sine(hn::LoadU(d, sines + i), back));
    hn::StoreU(pair.first, d, x + i);
    hn::StoreU(pair.second, d, second + i);
  }
  if (i == pairs) return;
  const std::int64_t rest = pairs - i;
  const Pair pair = Pair{load_tail(d, x + i, rest), load_tail(d, second + i, rest)}.turned(
      load_tail(d, cosines + i, rest), signed_sine(load_tail(d, sines + i, rest), back));
  store_tail(pair.first, d, x + i, rest);
  store_tail(pair.second, d, second + i, rest);
}

void rotate_rows(const Rotation& op, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const float* cosines = op.table + row * 2 * op.pairs;
    for (std::int64_t head = 0; head < op.heads; ++head) {
      rotate_head(op.pairs, cosines, op.back, op.x + row * op.stride + head * op.head_size);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace surprisal {
namespace {

HWY_EXPORT(rotate_rows);

constexpr std::int64_t kBlock = 16384;  // elements: the least that is worth a thread

}  // namespace

void rotate_cpu(const Rotation& rotation) {
  const auto kernel = HWY_DYNAMIC_DISPATCH(rotate_rows);
  const std::int64_t row = std::max<std::int64_t>(1, rotation.heads * 2 * rotation.pairs);
  parallel_ranges(rotation.rows, std::max<std::int64_t>(1, kBlock / row),
                  [&](std::int64_t begin, std::int64_t end, int) { kernel(rotation, begin, end); });
}

}  // namespace surprisal
#endif
