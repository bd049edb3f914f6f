#include "core/machine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/machine_kernels.h"
#include "core/parallel.h"

namespace surprisal {
namespace {

// What follows `name` and its separator in a file of "name: value" or "name value" lines.
std::optional<std::string> line_value(const char* path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    std::size_t begin = line.find_first_not_of(" \t:", name.size());
    if (begin == name.size()) continue;  // a longer name
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return std::nullopt;
}

std::int64_t number_or(const std::optional<std::string>& text, std::int64_t fallback) {
  if (!text || text->empty() || (*text)[0] < '0' || (*text)[0] > '9') return fallback;
  return static_cast<std::int64_t>(std::min<unsigned long long>(std::strtoull(text->c_str(), nullptr, 10),
                                                                std::numeric_limits<std::int64_t>::max()));
}

std::int64_t number_in(const std::filesystem::path& path, std::int64_t fallback) {
  std::ifstream file(path);
  std::string word;
  return file >> word ? number_or(word, fallback) : fallback;
}

struct MemoryLimit {
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  std::int64_t available = std::numeric_limits<std::int64_t>::max();
};

struct CgroupFiles {
  std::filesystem::path root;
  const char* limit;
  const char* usage;
  const char* reclaimable;  // in memory.stat: cached files, which give way
};

void apply_limit(const CgroupFiles& files, const std::filesystem::path& group, MemoryLimit& memory) {
  constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();
  std::int64_t limit = number_in(group / files.limit, kNone);
  if (limit == kNone) return;
  std::int64_t usage = number_in(group / files.usage, 0);
  usage -= number_or(line_value((group / "memory.stat").c_str(), files.reclaimable), 0);
  memory.limit = std::min(memory.limit, limit);
  memory.available =
      std::min(memory.available, std::max<std::int64_t>(0, limit - std::max<std::int64_t>(0, usage)));
}

// Whether "cpu,memory,pids" names the memory controller.
bool lists_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == "memory") return true;
    controllers.remove_prefix(comma == std::string_view::npos ? controllers.size() : comma + 1);
  }
  return false;
}

// The least limit of this process's control group and those above it. Inside a container the group's path may
// name what only the host sees; then the limit stands at the root.
MemoryLimit cgroup_limit() {
  const CgroupFiles v2{"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"};
  const CgroupFiles v1{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                       "total_inactive_file"};
  MemoryLimit memory;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "4:memory:/path" or "0::/path"
    std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    if (!controllers.empty() && !lists_memory(controllers)) continue;
    const CgroupFiles& files = controllers.empty() ? v2 : v1;
    std::filesystem::path group = line.substr(second + 1);
    for (; group.has_relative_path(); group = group.parent_path()) {
      apply_limit(files, files.root / group.relative_path(), memory);
    }
    apply_limit(files, files.root, memory);
  }
  return memory;
}

// What `ulimit -v` leaves to this process.
MemoryLimit address_space_limit() {
  MemoryLimit memory;
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return memory;
  constexpr rlim_t kMost = std::numeric_limits<std::int64_t>::max();
  memory.limit = static_cast<std::int64_t>(std::min(limit.rlim_cur, kMost));
  const std::int64_t used = number_or(line_value("/proc/self/status", "VmSize"), 0) * 1024;
  memory.available = std::max<std::int64_t>(0, memory.limit - used);
  return memory;
}

std::vector<std::string> instruction_sets() {
  constexpr std::array<std::string_view, 26> kOfInterest = {
      "sse4_2",      "avx",         "f16c",        "fma",      "bmi2",     "avx2",
      "avx_vnni",    "avx512f",     "avx512bw",    "avx512dq", "avx512vl", "avx512_vbmi2",
      "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16",  // x86-64
      "asimd",       "asimdhp",     "asimddp",     "sve",      "sve2",     "i8mm",
      "bf16",        "svebf16"};  // Arm
  std::vector<std::string> found;
  for (const char* line : {"flags", "Features"}) {
    std::istringstream words(line_value("/proc/cpuinfo", line).value_or(""));
    for (std::string word; words >> word;) {
      if (std::find(kOfInterest.begin(), kOfInterest.end(), word) != kOfInterest.end()) found.push_back(word);
    }
  }
  return found;
}

int allowed_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
  return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

// Calls work(thread) again and again on every thread for about `seconds`; returns calls per second. A thread
// that starts late finds the time over rather than prolonging it.
template <class Work>
double calls_per_second(double seconds, Work&& work) {
  using Clock = std::chrono::steady_clock;
  std::atomic<std::int64_t> calls{0};
  Clock::time_point begin = Clock::now();
  Clock::time_point end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  parallel_for(threads(), [&](std::int64_t block, int) {
    std::int64_t own = 0;
    for (; Clock::now() < end; ++own) work(block, own);
    calls += own;
  });
  return static_cast<double>(calls) / std::chrono::duration<double>(Clock::now() - begin).count();
}

template <class Work>
double best_of_three(double seconds, Work&& work) {
  double best = 0;
  for (int run = 0; run < 3; ++run) best = std::max(best, calls_per_second(seconds, work));
  return best;
}

// Twice the last cache, within what a small machine can spare.
std::int64_t bandwidth_bytes() {
  std::int64_t cache = std::max<std::int64_t>(0, sysconf(_SC_LEVEL3_CACHE_SIZE));
  std::int64_t bytes = std::clamp<std::int64_t>(2 * cache, std::int64_t{1} << 28, std::int64_t{1} << 30);
  return std::min(bytes, describe_machine().memory_available / 4);
}

}  // namespace

Machine describe_machine() {
  Machine machine;
  machine.cpu = line_value("/proc/cpuinfo", "model name").value_or("unknown");
  machine.instruction_sets = instruction_sets();
  machine.simd = detail::simd_name();
  machine.cores = allowed_cores();
  const MemoryLimit group = cgroup_limit(), space = address_space_limit();
  std::int64_t total = number_or(line_value("/proc/meminfo", "MemTotal"), 0) * 1024;
  std::int64_t available = number_or(line_value("/proc/meminfo", "MemAvailable"), 0) * 1024;
  machine.memory = std::min({total, group.limit, space.limit});
  machine.memory_available = std::min({available, group.available, space.available, machine.memory});
  return machine;
}

double measure_f32_peak(double seconds) {
  constexpr std::int64_t kIterations = 20'000;  // a tenth of a millisecond
  double flops = detail::fma_loop_flops(kIterations);
  std::atomic<float> sink{0};
  double calls = best_of_three(seconds, [&](std::int64_t, std::int64_t) {
    sink.store(detail::run_fma_loop(kIterations), std::memory_order_relaxed);
  });
  return calls * flops / 1e9;
}

double measure_read_bandwidth(double seconds) {
  constexpr std::int64_t kChunk = std::int64_t{1} << 18;  // floats: 1 MiB
  std::int64_t chunks =
      std::max<std::int64_t>(1, bandwidth_bytes() / 4 / kChunk / threads());  // of each thread
  Arena arena("measuring the memory's speed");
  arena.take({threads() * chunks, kChunk});
  arena.reserve();
  Tensor memory = arena.take({threads() * chunks, kChunk});
  std::atomic<float> sink{0};
  double calls = best_of_three(seconds / 3, [&](std::int64_t block, std::int64_t call) {
    const float* chunk = memory.f32() + (block * chunks + call % chunks) * kChunk;
    sink.store(detail::sum_floats(chunk, kChunk), std::memory_order_relaxed);
  });
  return calls * static_cast<double>(kChunk) * sizeof(float) / 1e9;
}

std::int64_t anonymous_memory() {
  return number_or(line_value("/proc/self/status", "RssAnon"), 0) * 1024;
}

}  // namespace surprisal
