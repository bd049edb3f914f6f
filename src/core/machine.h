// What this machine can do: its features by name, and its measured peaks, against which speed is reported.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace surprisal {

struct Machine {
  std::string cpu;                            // model name
  std::vector<std::string> instruction_sets;  // those that kernels choose by, as Linux names them
  std::string simd;         // widest instruction set that our kernels use here: "AVX3_ZEN4", "AVX2" ...
  int cores = 0;            // that this process may run on
  std::int64_t memory = 0;  // bytes in all
  std::int64_t memory_available = 0;
};
Machine describe_machine();

// GFLOP/s of a register-only loop of the widest f32 fused multiply-add on threads() threads: the most of
// three runs of about `seconds` each.
double measure_f32_peak(double seconds = 0.05);

// GB/s of reading memory that no cache holds, on threads() threads.
double measure_read_bandwidth(double seconds = 0.1);

// Peak of anonymous resident memory of this process so far is not kept by Linux; this is the current RssAnon
// in bytes.
std::int64_t anonymous_memory();

}  // namespace surprisal
