#include "report.h"

#include <algorithm>
#include <chrono>
#include <fstream>

#include <fmt/format.h>

#include "core/machine.h"
#include "core/parallel.h"
#include "ops/gemm.h"

namespace surprisal::bench {
namespace {

constexpr double kPeakSeconds = 0.2;

std::string load_average() {
  std::ifstream file("/proc/loadavg");
  std::string minute;
  file >> minute;
  return minute;
}

}  // namespace

void print_conditions(int argc, char** argv) {
  std::string command;
  for (int index = 0; index < argc; ++index) command += fmt::format("{}{}", index ? " " : "", argv[index]);
  Machine machine = describe_machine();
  fmt::print("command  {}\n", command);
  fmt::print("machine  {}, {}, {} threads of {} cores, {}, load {}\n", machine.cpu, machine.simd, threads(),
             machine.cores, gemm_implementation(), load_average());
}

Peak::Peak() : gflops_(measure_f32_peak(kPeakSeconds)) {}

void Peak::measure_again() {
  gflops_ = std::max(gflops_, measure_f32_peak(kPeakSeconds));
}

Times summarise(std::vector<double> seconds) {
  if (seconds.empty()) return {};
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds.front()};
}

double seconds_since_start() {
  using Clock = std::chrono::steady_clock;
  static const Clock::time_point start = Clock::now();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace surprisal::bench
