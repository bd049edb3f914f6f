#include <array>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <CLI/Version.hpp>
#include <fmt/format.h>
#include <hwy/highway.h>
#include <pcre2.h>
#include <sys/utsname.h>
#include <toml++/toml.h>
#include <utf8proc.h>
#include <xxhash.h>
#include <zlib.h>
#include <zstd.h>

#include "console.h"
#include "core/json.h"
#include "core/machine.h"
#include "core/parallel.h"
#include "ops/gemm.h"
#include "verbs.h"

namespace surprisal {
namespace {

using Named = std::vector<std::pair<std::string, std::string>>;

std::string build() {
  std::string kind = "optimised";
#ifndef NDEBUG
  kind = "with assertions";
#endif
#if defined(__SANITIZE_ADDRESS__)
  kind += ", AddressSanitizer";
#elif defined(__SANITIZE_THREAD__)
  kind += ", ThreadSanitizer";
#endif
#ifdef __clang__
  return fmt::format("clang {}, {}", __clang_version__, kind);
#else
  return fmt::format("g++ {}, {}", __VERSION__, kind);
#endif
}

std::string operating_system() {
  utsname name{};
  return uname(&name) == 0 ? fmt::format("{} {} {}", name.sysname, name.release, name.machine) : "unknown";
}

std::string version(int major, int minor, int patch) {
  return fmt::format("{}.{}.{}", major, minor, patch);
}

// Those that are loaded, where a library tells; else those that this program was compiled with.
Named library_versions() {
  std::array<char, 64> pcre2{};
  pcre2_config(PCRE2_CONFIG_VERSION, pcre2.data());
  const int xxhash = static_cast<int>(XXH_versionNumber());
  return {{"zlib", zlibVersion()},
          {"zstd", ZSTD_versionString()},
          {"PCRE2", pcre2.data()},
          {"utf8proc", utf8proc_version()},
          {"Unicode", utf8proc_unicode_version()},
          {"xxHash", version(xxhash / 10000, xxhash / 100 % 100, xxhash % 100)},
          {"Highway", version(HWY_MAJOR, HWY_MINOR, HWY_PATCH)},
          {"fmt", version(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
          {"nlohmann-json",
           version(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
          {"toml++", version(TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH)},
          {"CLI11", CLI11_VERSION}};
}

// What of the environment changes how fast or by which kernels the program works.
Named environment() {
  Named set;
  for (const char* name : {"OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_PROC_BIND", "OMP_PLACES",
                           "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MALLOC_ARENA_MAX"}) {
    if (const char* value = std::getenv(name)) set.emplace_back(name, value);
  }
  return set;
}

struct Findings {
  Machine machine = describe_machine();
  double peak = measure_f32_peak(), bandwidth = measure_read_bandwidth();
  Named libraries = library_versions(), variables = environment();
};

OrderedJson to_json(const Named& named) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, value] : named) json[name] = value;
  return json;
}

void print_json(const Findings& found) {
  const Machine& machine = found.machine;
  fmt::print("{}\n", to_line({{"version", SURPRISAL_VERSION},
                              {"build", build()},
                              {"system", operating_system()},
                              {"cpu", machine.cpu},
                              {"instruction_sets", machine.instruction_sets},
                              {"simd", machine.simd},
                              {"cores", machine.cores},
                              {"threads", threads()},
                              {"parallel", SURPRISAL_PARALLEL},
                              {"memory_bytes", machine.memory},
                              {"memory_available_bytes", machine.memory_available},
                              {"gemm", gemm_implementation()},
                              {"gemm_kernels", gemm_kernels()},
                              {"cuda", nullptr},
                              {"mpi", nullptr},
                              {"libraries", to_json(found.libraries)},
                              {"environment", to_json(found.variables)},
                              {"peak_gflops", found.peak},
                              {"read_bandwidth_gb_per_s", found.bandwidth}}));
}

// "name value, name value".
std::string listed(const Named& named, const char* between) {
  std::string text;
  for (const auto& [name, value] : named) {
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", name, between, value);
  }
  return text.empty() ? "none" : text;
}

void print_text(const Findings& found) {
  const Machine& machine = found.machine;
  const auto plural = [](int count) { return count == 1 ? "" : "s"; };
  fmt::print("surprisal    {}, {}\n", SURPRISAL_VERSION, build());
  fmt::print("system       {}\n", operating_system());
  fmt::print("cpu          {}, {} core{}\n", machine.cpu, machine.cores, plural(machine.cores));
  fmt::print("features     {}\n", fmt::join(machine.instruction_sets, " "));
  fmt::print("kernels      {}; gemm {} with {}\n", machine.simd, gemm_implementation(), gemm_kernels());
  fmt::print("threads      {} ({})\n", threads(), SURPRISAL_PARALLEL);
  fmt::print("accelerators none: built without CUDA, without MPI\n");
  fmt::print("memory       {}, {} available\n", human_bytes(static_cast<double>(machine.memory)),
             human_bytes(static_cast<double>(machine.memory_available)));
  fmt::print("libraries    {}\n", listed(found.libraries, " "));
  fmt::print("environment  {}\n", listed(found.variables, "="));
  fmt::print("f32 peak     {:.0f} GFLOP/s\n", found.peak);
  fmt::print("read         {:.1f} GB/s\n", found.bandwidth);
}

}  // namespace

void add_doctor(CLI::App& app) {
  auto json = std::make_shared<bool>(false);
  CLI::App* verb = app.add_subcommand("doctor", "What this machine can do, for a bug report");
  verb->add_flag("--json", *json, "as JSON");
  verb->callback([json] {
    const Findings found;
    *json ? print_json(found) : print_text(found);
  });
  verb->footer("Example: surprisal doctor --json");
}

}  // namespace surprisal
