// Loops over float arrays for Highway kernels. A ragged tail goes through a padded buffer and the same vector
// code as the rest, so the bits of an element do not depend on where in the array it stands. Compiled once
// per instruction set: include after hwy/foreach_target.h.
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "ops/write.h"

#if defined(SURPRISAL_OPS_VECTOR_LOOP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SURPRISAL_OPS_VECTOR_LOOP_INL_H_
#undef SURPRISAL_OPS_VECTOR_LOOP_INL_H_
#else
#define SURPRISAL_OPS_VECTOR_LOOP_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace surprisal {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;
using FloatMask = hn::Mask<FloatTag>;

// As many doubles as fill a register, and that many floats: for sums of floats that are kept in double.
using DoubleTag = hn::ScalableTag<double>;
using DoubleVector = hn::Vec<DoubleTag>;
using HalfTag = hn::Rebind<float, DoubleTag>;

// The first `count` < Lanes(d) elements; the others are `padding`.
template <class Tag>
HWY_INLINE hn::Vec<Tag> load_tail(Tag d, const float* from, std::int64_t count, float padding = 0) {
  HWY_ALIGN float buffer[hn::MaxLanes(Tag())];
  hn::Store(hn::Set(d, padding), d, buffer);
  std::memcpy(buffer, from, static_cast<std::size_t>(count) * sizeof(float));
  return hn::Load(d, buffer);
}

template <class Tag>
HWY_INLINE void store_tail(hn::Vec<Tag> value, Tag d, float* to, std::int64_t count) {
  HWY_ALIGN float buffer[hn::MaxLanes(Tag())];
  hn::Store(value, d, buffer);
  std::memcpy(to, buffer, static_cast<std::size_t>(count) * sizeof(float));
}

// out[i] = function(in[i]...) for i in [0, size); `out` may be one of the inputs.
template <class Function, class... In>
HWY_INLINE void map_vectors(std::int64_t size, float* out, const Function& function, const In*... in) {
  const FloatTag d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= size; i += lanes) hn::StoreU(function(hn::LoadU(d, in + i)...), d, out + i);
  if (i < size) store_tail(function(load_tail(d, in + i, size - i)...), d, out + i, size - i);
}

// The same of what stands in `out`, as `write` keeps it.
template <class Function, class... In>
HWY_INLINE void map_vectors(std::int64_t size, float* out, const Write& write, const Function& function,
                            const In*... in) {
  if (write == Write::over) return map_vectors(size, out, function, in...);
  const FloatVector kept = hn::Set(FloatTag(), write.kept);
  const auto onto = [&](FloatVector before, auto... values) {
    return hn::MulAdd(kept, before, function(values...));
  };
  map_vectors(size, out, onto, out, in...);
}

struct Operand {
  const float* data;
  float padding = 0;  // what the tail is filled up with
};

// Calls function(vector of doubles...) for every register of the operands.
template <class Function, class... Operands>
HWY_INLINE void for_each_as_double(std::int64_t size, const Function& function, const Operands&... in) {
  const HalfTag half;
  const DoubleTag d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(half));
  std::int64_t i = 0;
  for (; i + lanes <= size; i += lanes) function(hn::PromoteTo(d, hn::LoadU(half, in.data + i))...);
  if (i < size) function(hn::PromoteTo(d, load_tail(half, in.data + i, size - i, in.padding))...);
}

HWY_INLINE double sum_of_lanes(DoubleVector value) {
  const DoubleTag d;
  return hn::GetLane(hn::SumOfLanes(d, value));
}

}  // namespace HWY_NAMESPACE
}  // namespace surprisal
HWY_AFTER_NAMESPACE();

#endif
