#include "core/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace surprisal {

std::uint32_t Random::below(std::uint32_t bound) {
  std::uint64_t product = std::uint64_t{next_u32()} * bound;
  if (static_cast<std::uint32_t>(product) < bound) {
    std::uint32_t threshold = (0u - bound) % bound;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next_u32()} * bound;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double Random::normal() {
  double u = 1 - uniform();  // (0, 1]: the logarithm stays finite
  double v = uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

Permutation::Permutation(RandomKey key, std::uint64_t size) : key_(key), size_(size) {
  int bits = size > 1 ? 64 - std::countl_zero(size - 1) : 1;
  half_bits_ = (bits + 1) / 2;
}

std::uint64_t Permutation::round(std::uint64_t value) const {
  std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_, right = value & mask;
  for (std::uint32_t step = 0; step < 6; ++step) {
    PhiloxBlock bits =
        philox(key_.seed, {step, static_cast<std::uint32_t>(key_.purpose) << 24 | (key_.epoch & 0xFFFFFF),
                           static_cast<std::uint32_t>(right),
                           static_cast<std::uint32_t>(key_.sample ^ (key_.sample >> 32))});
    std::uint64_t mixed = left ^ (bits[0] & mask);
    left = right;
    right = mixed;
  }
  return left << half_bits_ | right;
}

std::uint64_t Permutation::operator()(std::uint64_t index) const {
  do index = round(index);
  while (index >= size_);
  return index;
}

}  // namespace surprisal
