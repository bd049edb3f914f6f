// A target without libFuzzer, for every compiler: runs the seeds, each also cut short at many places and with
// bytes changed, and then the files and directories that the command line names.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file.h"
#include "fuzz/target.h"

namespace surprisal::fuzz {
namespace {

namespace fs = std::filesystem;

int inputs = 0;

void run_counted(const std::string& input) {
  ++inputs;
  run(input);
}

// Long seeds at coarser steps, so that each takes about as long.
void run_damaged(const std::string& seed) {
  constexpr std::size_t kPlaces = 48;
  const std::size_t step = seed.size() / kPlaces + 1;
  for (std::size_t at = 0; at < seed.size(); at += step) {
    run_counted(seed.substr(0, at));
    for (char other : {'\0', '"', '9', '\x80'}) {
      std::string changed = seed;
      changed[at] = other;
      run_counted(changed);
    }
  }
}

void run_files(const fs::path& path) {
  if (!fs::is_directory(path)) return run_counted(read_file(path));
  for (const fs::path& file : list_tree(path)) run_counted(read_file(file));
}

}  // namespace
}  // namespace surprisal::fuzz

int main(int count, char** arguments) {
  using namespace surprisal::fuzz;
  try {
    for (const std::string& seed : seeds()) {
      run_counted(seed);
      run_damaged(seed);
    }
    for (int i = 1; i < count; ++i) run_files(arguments[i]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "input %d: %s\n", inputs, error.what());
    return 1;
  }
  std::printf("%d inputs\n", inputs);
  return 0;
}
