// Stored numbers to f32: every F16 and BF16 value is an f32 value too, so nothing is rounded. And f32 to
// bf16 and f16, which rounds.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "store/safetensors.h"

namespace surprisal {

bool can_widen(std::string_view dtype);  // F32, F16, BF16

// Elements [begin, begin + out.size()) of the tensor, whose bytes may have any alignment. REQUIRES
// can_widen(dtype) and a range within the tensor.
void widen(const StoredTensor& tensor, std::int64_t begin, std::span<float> out);

float widen_f16(std::uint16_t bits);
float widen_bf16(std::uint16_t bits);

// To nearest, ties to even; beyond the largest bf16: infinity. NaN stays NaN.
std::uint16_t round_to_bf16(float value);
// The same of f16, whose largest number is 65504.
std::uint16_t round_to_f16(float value);

}  // namespace surprisal
