// Buffers that break kernels which read or write beside their operands: NaN on both sides, checked at the
// end, and a start that is 4 bytes off every alignment.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "core/tensor.h"

namespace surprisal {

// `Element` has 4 bytes: float or std::int32_t. Starts filled with NaN (as bits), so what is not written
// shows.
template <class Element>
class Guarded {
  static_assert(sizeof(Element) == 4);

 public:
  explicit Guarded(std::int64_t size)
      : size_(size), memory_(static_cast<std::size_t>(size) + 2 * kGuard + 16) {
    std::fill(memory_.begin(), memory_.end(), std::bit_cast<Element>(kPattern));
    const std::uintptr_t past = reinterpret_cast<std::uintptr_t>(memory_.data()) / 4 % 16;
    data_ = memory_.data() + kGuard + (16 - past) % 16 + 1;
  }
  explicit Guarded(const std::vector<Element>& values) : Guarded(static_cast<std::int64_t>(values.size())) {
    std::copy(values.begin(), values.end(), data_);
  }
  ~Guarded() { EXPECT_TRUE(intact()) << "written beside a buffer of " << size_ << " elements"; }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  std::int64_t size() const { return size_; }
  Element* data() { return data_; }
  Element& operator[](std::int64_t i) { return data_[i]; }
  std::span<Element> span() { return {data_, static_cast<std::size_t>(size_)}; }
  std::vector<Element> copy() { return {data_, data_ + size_}; }
  // A tensor of `shape` over the whole buffer.
  Tensor tensor(Shape shape) {
    EXPECT_EQ(shape.elements(), size_);
    return {data_, shape, std::is_same_v<Element, float> ? Dtype::f32 : Dtype::i32, Device::cpu};
  }
  Tensor tensor() { return tensor({size_}); }

 private:
  static constexpr std::size_t kGuard = 64;
  static constexpr std::uint32_t kPattern = 0x7FC0DEAD;

  bool intact() const {
    const auto guard = [](Element element) { return std::bit_cast<std::uint32_t>(element) == kPattern; };
    return std::all_of(memory_.data(), static_cast<const Element*>(data_), guard) &&
           std::all_of(static_cast<const Element*>(data_) + size_, memory_.data() + memory_.size(), guard);
  }

  std::int64_t size_;
  std::vector<Element> memory_;
  Element* data_ = nullptr;
};

using GuardedFloats = Guarded<float>;
using GuardedInts = Guarded<std::int32_t>;

// The same bits, NaN included.
template <class Range>
bool same_bits(const Range& a, const Range& b) {
  return std::size(a) == std::size(b) &&
         (std::size(a) == 0 ||
          std::memcmp(std::data(a), std::data(b), std::size(a) * sizeof(*std::data(a))) == 0);
}

}  // namespace surprisal
