// What every benchmark says beside its numbers: the command, the machine, and the peak measured in the same
// run.
#pragma once

#include <string>
#include <vector>

namespace surprisal::bench {

// The command line, CPU, SIMD level, threads, GEMM and the load of the machine, on stdout.
void print_conditions(int argc, char** argv);

// GFLOP/s of fused multiply-adds. Measured before the work and again after it; the larger counts, since
// whatever else runs on the machine can only lower it.
class Peak {
 public:
  Peak();
  void measure_again();
  double gflops() const { return gflops_; }
  double share(double flops, double seconds) const { return flops / seconds / 1e9 / gflops_; }

 private:
  double gflops_;
};

struct Times {
  double median = 0, best = 0;
};
Times summarise(std::vector<double> seconds);

double seconds_since_start();

}  // namespace surprisal::bench
