#include <memory>

#include <fmt/format.h>

#include "console.h"
#include "core/json.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "ops/gemm.h"
#include "verbs.h"

namespace surprisal {
namespace {

void doctor_verb(bool json) {
  Machine machine = describe_machine();
  double peak = measure_f32_peak(), bandwidth = measure_read_bandwidth();
  if (json) {
    fmt::print("{}\n", to_line({{"version", SURPRISAL_VERSION},
                                {"cpu", machine.cpu},
                                {"simd", machine.simd},
                                {"cores", machine.cores},
                                {"threads", threads()},
                                {"memory_bytes", machine.memory},
                                {"memory_available_bytes", machine.memory_available},
                                {"gemm", gemm_implementation()},
                                {"peak_gflops", peak},
                                {"read_bandwidth_gb_per_s", bandwidth}}));
    return;
  }
  fmt::print("surprisal    {}\n", SURPRISAL_VERSION);
  fmt::print("cpu          {}, {} core{}\n", machine.cpu, machine.cores, machine.cores == 1 ? "" : "s");
  fmt::print("simd         {}\n", machine.simd);
  fmt::print("threads      {}\n", threads());
  fmt::print("memory       {}, {} available\n", human_bytes(static_cast<double>(machine.memory)),
             human_bytes(static_cast<double>(machine.memory_available)));
  fmt::print("gemm         {}\n", gemm_implementation());
  fmt::print("f32 peak     {:.0f} GFLOP/s\n", peak);
  fmt::print("read         {:.1f} GB/s\n", bandwidth);
}

}  // namespace

void add_doctor(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("doctor", "What this machine can do, for a bug report");
  verb->add_flag("--json", *json, "as JSON");
  verb->callback([json] { doctor_verb(*json); });
  verb->footer("Example: surprisal doctor --json");
}

}  // namespace surprisal
