// A hash map from a pair of 32-bit numbers, for the inner loops of tokenization. Filled once, then only read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace surprisal {

template <class Value>
class PairMap {
 public:
  const Value* find(std::uint32_t a, std::uint32_t b) const {
    if (slots_.empty()) return nullptr;
    std::uint64_t key = key_of(a, b);
    for (std::size_t i = slot_of(key);; i = (i + 1) & mask()) {
      const Slot& slot = slots_[i];
      if (slot.key == key) return &slot.value;
      if (slot.key == kFree) return nullptr;
    }
  }

  // The value of (a, b), made by the call if it was not there. REQUIRES that not both are the largest number.
  Value& operator()(std::uint32_t a, std::uint32_t b) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Slot& slot = place(key_of(a, b));
    if (slot.key == kFree) {
      slot.key = key_of(a, b);
      ++size_;
    }
    return slot.value;
  }

 private:
  static constexpr std::uint64_t kFree = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kFree;
    Value value{};
  };

  static std::uint64_t key_of(std::uint32_t a, std::uint32_t b) { return std::uint64_t{a} << 32 | b; }
  std::size_t mask() const { return slots_.size() - 1; }

  std::size_t slot_of(std::uint64_t key) const {
    std::uint64_t hash = key * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    return (hash * 0xD6E8FEB86659FD93u) >> shift_;
  }

  // Where the key is, or would be.
  Slot& place(std::uint64_t key) {
    std::size_t i = slot_of(key);
    while (slots_[i].key != kFree && slots_[i].key != key) i = (i + 1) & mask();
    return slots_[i];
  }

  void grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.empty() ? 16 : 2 * old.size(), {});
    shift_ = old.empty() ? 60 : shift_ - 1;
    for (const Slot& slot : old) {
      if (slot.key != kFree) place(slot.key) = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half of them used
  std::size_t size_ = 0;
  int shift_ = 64;
};

}  // namespace surprisal
