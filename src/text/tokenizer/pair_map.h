// A hash map from a pair of 32-bit numbers, for the inner loops of tokenization. Filled once, then only read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace surprisal {

template <class Value>
class PairMap {
 public:
  const Value* find(std::uint32_t a, std::uint32_t b) const {
    if (slots_.empty()) return nullptr;
    for (std::size_t i = slot_of(a, b);; i = (i + 1) & mask()) {
      const Slot& slot = slots_[i];
      if (!slot.used) return nullptr;
      if (slot.a == a && slot.b == b) return &slot.value;
    }
  }

  // The value of (a, b), made by the call if it was not there.
  Value& operator()(std::uint32_t a, std::uint32_t b) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    std::size_t i = slot_of(a, b);
    while (slots_[i].used && !(slots_[i].a == a && slots_[i].b == b)) i = (i + 1) & mask();
    Slot& slot = slots_[i];
    if (!slot.used) {
      slot = {a, b, Value{}, true};
      ++size_;
    }
    return slot.value;
  }

 private:
  struct Slot {
    std::uint32_t a = 0, b = 0;
    Value value{};
    bool used = false;
  };

  std::size_t mask() const { return slots_.size() - 1; }

  std::size_t slot_of(std::uint32_t a, std::uint32_t b) const {
    std::uint64_t hash = (std::uint64_t{a} << 32 | b) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    return (hash * 0xD6E8FEB86659FD93u) >> shift_;
  }

  void grow() {
    std::vector<Slot> old = std::move(slots_);
    slots_.assign(old.empty() ? 16 : 2 * old.size(), {});
    shift_ = old.empty() ? 60 : shift_ - 1;
    for (const Slot& slot : old) {
      if (!slot.used) continue;
      std::size_t i = slot_of(slot.a, slot.b);
      while (slots_[i].used) i = (i + 1) & mask();
      slots_[i] = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two, at most half of them used
  std::size_t size_ = 0;
  int shift_ = 64;
};

}  // namespace surprisal
