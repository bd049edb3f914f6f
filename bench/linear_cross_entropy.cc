// The fused loss at the size of a GPT-2 head: time, share of the FMA peak, and the memory that it needs
// beside its outputs. Each number of rows is measured in a process of its own, so that none finds memory that
// another left.
#include "ops/linear_cross_entropy.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command_line.h"
#include "core/arena.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "operands.h"
#include "report.h"

namespace surprisal::bench {
namespace {

struct Arguments {
  std::vector<std::int64_t> rows{1024, 4096, 16384};
  std::int64_t vocabulary = 50304, width = 768;
  int repetitions = 3;
  int threads = 0;
};

constexpr std::size_t kBudget = std::size_t{64} << 20;

// Inputs and outputs, all touched.
struct Problem {
  Operands operands;
  Tensor hidden, weight, dhidden, dweight;
  std::vector<std::int32_t> target;
  std::vector<float> scale, surprisal;

  Problem(std::int64_t rows, std::int64_t vocabulary, std::int64_t width)
      : hidden(operands.take({rows, width})),
        weight(operands.take({vocabulary, width})),
        dhidden(operands.take_zeros({rows, width})),
        dweight(operands.take_zeros({vocabulary, width})),
        scale(static_cast<std::size_t>(rows), 1 / static_cast<float>(rows)),
        surprisal(static_cast<std::size_t>(rows)) {
    for (std::int64_t row = 0; row < rows; ++row) {
      target.push_back(static_cast<std::int32_t>(row * 7919 % vocabulary));
    }
  }
};

// The most RssAnon that was seen, sampled beside the work.
class MemoryWatch {
 public:
  MemoryWatch() : before_(anonymous_memory()), most_(before_), thread_([this] { watch(); }) {}
  std::int64_t stop() {
    done_ = true;
    thread_.join();
    return most_ - before_;
  }

 private:
  void watch() {
    while (!done_) {
      most_ = std::max(most_, anonymous_memory());
      std::this_thread::sleep_for(std::chrono::microseconds(500));
    }
  }

  std::atomic<bool> done_{false};
  std::int64_t before_, most_;
  std::thread thread_;
};

// Mean surprisal; the sum of its gradient over each row of logits is 0, so that dhidden is bounded.
double run(Problem& problem, const Tensor& workspace) {
  linear_cross_entropy({problem.hidden, problem.weight, {}, problem.target},
                       {problem.scale, problem.dhidden, problem.dweight, {}}, problem.surprisal, {},
                       workspace);
  double sum = 0;
  for (float surprisal : problem.surprisal) sum += surprisal;
  return sum / static_cast<double>(problem.surprisal.size());
}

// One row against three plain loops in double.
double expected_surprisal(const Problem& problem, std::int64_t row) {
  const std::int64_t width = problem.hidden.shape[1];
  double sum = 0, answer = 0;
  for (std::int64_t v = 0; v < problem.weight.shape[0]; ++v) {
    double logit = 0;
    for (std::int64_t d = 0; d < width; ++d) {
      logit += double{problem.hidden.f32()[row * width + d]} * problem.weight.f32()[v * width + d];
    }
    sum += std::exp(logit);
    if (v == problem.target[static_cast<std::size_t>(row)]) answer = logit;
  }
  return std::log(sum) - answer;
}

void check(const Problem& problem) {
  const std::int64_t last = problem.hidden.shape[0] - 1;
  double found = problem.surprisal.back(), expected = expected_surprisal(problem, last);
  if (!(std::abs(found - expected) < 1e-4)) {
    throw std::runtime_error(fmt::format("the last row's surprisal is {}, expected {}", found, expected));
  }
}

Tensor reserve_workspace(Arena& arena, std::int64_t rows, std::int64_t vocabulary) {
  const std::int64_t elements = cross_entropy_workspace(rows, vocabulary, kBudget);
  arena.take({elements});
  arena.reserve();
  return arena.take({elements});
}

void measure(std::int64_t rows, const Arguments& arguments) {
  Problem problem(rows, arguments.vocabulary, arguments.width);
  Arena arena("workspace");
  MemoryWatch watch;
  Tensor workspace = reserve_workspace(arena, rows, arguments.vocabulary);
  const double loss = run(problem, workspace);
  const double extra = static_cast<double>(watch.stop()) / (1 << 20);
  check(problem);
  Peak peak;
  std::vector<double> seconds;
  for (int repetition = 0; repetition < arguments.repetitions; ++repetition) {
    double begin = seconds_since_start();
    if (run(problem, workspace) != loss) throw std::runtime_error("a repetition gave another result");
    seconds.push_back(seconds_since_start() - begin);
  }
  peak.measure_again();
  Times times = summarise(seconds);
  double flops = 6.0 * static_cast<double>(rows) * static_cast<double>(arguments.vocabulary) *
                 static_cast<double>(arguments.width);
  fmt::print(
      "{:6} rows  median {:7.3f} s ({:4.1f} % of {:.0f} GFLOP/s)  best {:7.3f} s ({:4.1f} %)  "
      "{:5.1f} MiB over its outputs  loss {:.6f}\n",
      rows, times.median, 100 * peak.share(flops, times.median), peak.gflops(), times.best,
      100 * peak.share(flops, times.best), extra, loss);
}

// 0 where the child found everything right.
int measure_in_child(std::int64_t rows, const Arguments& arguments) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    int status = 0;
    try {
      measure(rows, arguments);
    } catch (const std::exception& error) {
      fmt::print(stderr, "linear_cross_entropy: {}\n", error.what());
      status = 1;
    }
    std::fflush(stdout);
    _exit(status);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status;
}

Arguments parse(int argc, char** argv) {
  CLI::App app("Times linear_cross_entropy with all gradients and measures its memory.");
  Arguments arguments;
  app.add_option("--rows", arguments.rows, "targets; several may be given")->check(CLI::PositiveNumber);
  app.add_option("--vocabulary", arguments.vocabulary)->check(CLI::PositiveNumber);
  app.add_option("--width", arguments.width)->check(CLI::PositiveNumber);
  app.add_option("--repetitions", arguments.repetitions)->check(CLI::PositiveNumber);
  app.add_option("--threads", arguments.threads, "all cores unless given")->check(CLI::PositiveNumber);
  parse_or_exit(app, argc, argv);
  return arguments;
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  using namespace surprisal::bench;
  Arguments arguments = parse(argc, argv);
  if (arguments.threads > 0) surprisal::set_threads(arguments.threads);
  print_conditions(argc, argv);
  int failures = 0;
  for (std::int64_t rows : arguments.rows) failures += measure_in_child(rows, arguments) != 0;
  return failures ? 1 : 0;
}
