#include "store/widen.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace surprisal {
namespace {

template <float (*convert)(std::uint16_t)>
void widen_16(const std::byte* bytes, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes + 2 * i, sizeof bits);
    out[i] = convert(bits);
  }
}

}  // namespace

bool can_widen(std::string_view dtype) {
  return dtype == "F32" || dtype == "F16" || dtype == "BF16";
}

float widen_bf16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

std::uint16_t round_to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);  // quiet
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

std::uint16_t round_to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const float magnitude = std::abs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7c00u);
  if (magnitude < 0x1p-14f) {  // a multiple of 2^-24
    return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::nearbyint(magnitude * 0x1p24f)));
  }
  const std::uint32_t positive = bits & 0x7fffffffu;
  const std::uint32_t rounded = positive + 0xfffu + (positive >> 13 & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded >> 13) - ((127u - 15u) << 10)));
}

float widen_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16, exponent = (bits >> 10) & 0x1fu,
                      fraction = bits & 0x3ffu;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24, exact in f32
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t widened = exponent == 0x1f ? 0xffu : exponent + (127 - 15);  // infinities and NaNs stay
  return std::bit_cast<float>(sign | widened << 23 | fraction << 13);
}

void widen(const StoredTensor& tensor, std::int64_t begin, std::span<float> out) {
  if (out.empty()) return;
  const std::byte* bytes = tensor.bytes.data();
  if (tensor.dtype == "F32") {
    std::memcpy(out.data(), bytes + static_cast<std::size_t>(begin) * sizeof(float), out.size_bytes());
  } else if (tensor.dtype == "F16") {
    widen_16<widen_f16>(bytes + 2 * static_cast<std::size_t>(begin), out);
  } else {
    widen_16<widen_bf16>(bytes + 2 * static_cast<std::size_t>(begin), out);
  }
}

}  // namespace surprisal
