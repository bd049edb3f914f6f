// The loops that machine.cc times, in the widest instruction set of this CPU.
#pragma once

#include <cstdint>
#include <string>

namespace surprisal::detail {

std::string simd_name();
// Runs `iterations` of a loop that holds nothing but independent f32 multiply-adds in registers. The result
// means nothing; it is there so that no compiler drops the loop.
float run_fma_loop(std::int64_t iterations);
double fma_loop_flops(std::int64_t iterations);
float sum_floats(const float* values, std::int64_t count);

}  // namespace surprisal::detail
