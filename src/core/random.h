// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy
// as 1, 2, 3; SC 2011). A number is a pure function of its key, so any sample can be rebuilt alone, on any
// rank, after any resume.
#pragma once

#include <array>
#include <cstdint>

namespace surprisal {

using PhiloxBlock = std::array<std::uint32_t, 4>;

constexpr PhiloxBlock philox(std::uint64_t key, PhiloxBlock counter) {
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return counter;
}

// What a number is for. Two purposes never share numbers. Values are part of the file format of a run: append
// only.
enum class Purpose : std::uint32_t {
  initialisation = 0,
  document_order = 1,
  pack_order = 2,
  mixture = 3,
  masking = 4,
  pairing = 5,
  dropout = 6,
  sampling = 7,
  infilling = 8,
};

struct RandomKey {
  std::uint64_t seed = 0;
  std::uint64_t sample = 0;
  std::uint32_t epoch = 0;  // below 2^24
  Purpose purpose = Purpose::initialisation;
};

// The numbers of one key, in order: counter = (block, purpose and epoch, sample).
class Random {
 public:
  explicit Random(RandomKey key) : key_(key) {}

  std::uint32_t next_u32() {
    if (used_ == 4) {
      block_ =
          philox(key_.seed,
                 {index_++, static_cast<std::uint32_t>(key_.purpose) << 24 | (key_.epoch & 0xFFFFFF),
                  static_cast<std::uint32_t>(key_.sample), static_cast<std::uint32_t>(key_.sample >> 32)});
      used_ = 0;
    }
    return block_[used_++];
  }
  std::uint64_t next_u64() {
    std::uint64_t high = next_u32();
    return high << 32 | next_u32();
  }
  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }
  // Uniform in [0, bound), without bias (Lemire's method). REQUIRES bound > 0.
  std::uint32_t below(std::uint32_t bound);
  // Standard normal (Box-Muller).
  double normal();

 private:
  RandomKey key_;
  PhiloxBlock block_{};
  std::uint32_t index_ = 0;
  std::uint32_t used_ = 4;
};

// A keyed permutation of [0, size): element `index` of the shuffled order, in O(1) memory (a Feistel network
// that walks its cycles back into the range).
class Permutation {
 public:
  Permutation(RandomKey key, std::uint64_t size);
  std::uint64_t operator()(std::uint64_t index) const;

 private:
  std::uint64_t round(std::uint64_t value) const;
  RandomKey key_;
  std::uint64_t size_;
  int half_bits_;
};

}  // namespace surprisal
