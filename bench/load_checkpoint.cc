// Loading a checkpoint against reading its file: GPT-2 of 124 M parameters in f32, 500 MB, in the page cache.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "model/family.h"
#include "report.h"
#include "store/model_directory.h"
#include "store/tensor_files.h"

namespace surprisal::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 7;

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "surprisal-load-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

ModelConfig gpt2_124m() {
  ModelOptions options;
  options.hidden_size = 768;
  options.num_hidden_layers = options.num_attention_heads = 12;
  options.max_position_embeddings = 1024;
  return find_family("gpt2", "benchmark").from_options(options, 50257, 1024);
}

template <class Function>
double seconds_of(Function&& function) {
  const double begin = seconds_since_start();
  function();
  return seconds_since_start() - begin;
}

// Into memory of its own, as loading needs it too: fresh pages, faulted in while they are filled.
double read_whole(const fs::path& file) {
  return seconds_of([&] {
    FileReader reader(file);
    const auto size = static_cast<std::size_t>(fs::file_size(file));
    const auto buffer = std::make_unique_for_overwrite<char[]>(size);
    std::size_t filled = 0;
    while (std::size_t count = reader.read({buffer.get() + filled, size - filled})) filled += count;
  });
}

double load(const fs::path& directory, const ModelConfig& config, const Transformer& right) {
  std::unique_ptr<Transformer> model;
  const double seconds = seconds_of([&] {
    model = std::make_unique<Transformer>(config, Mode::evaluate, Capacity{.tokens = 1});
    load_weights(directory, *model);
  });
  if (std::memcmp(model->weights().data(), right.weights().data(), right.weights().size_bytes()) != 0)
    throw Error(ErrorKind::data, {.what = "the weights that were loaded are not those that were saved"});
  return seconds;
}

void run() {
  const TemporaryDirectory directory;
  const ModelConfig config = gpt2_124m();
  Transformer model(config, Mode::evaluate, {.tokens = 1});
  model.initialise(1);
  save_model(directory.path(), model, nullptr);
  const fs::path file = directory.path() / kWeightsFile;
  read_whole(file);
  std::vector<double> reading, loading;
  for (int round = 0; round < kRounds; ++round) {  // in turn: both see the same machine
    reading.push_back(read_whole(file));
    loading.push_back(load(directory.path(), config, model));
  }
  const Times read = summarise(reading), loaded = summarise(loading);
  const double bytes = static_cast<double>(fs::file_size(file));
  fmt::print("file     {:.0f} MB, in the page cache\n", bytes / 1e6);
  fmt::print("read     median {:.3f} s ({:.2f} GB/s), best {:.3f} s\n", read.median,
             bytes / read.median / 1e9, read.best);
  fmt::print("load     median {:.3f} s ({:.2f} GB/s), best {:.3f} s\n", loaded.median,
             bytes / loaded.median / 1e9, loaded.best);
  fmt::print("ratio    median {:.2f}, best {:.2f}\n", loaded.median / read.median, loaded.best / read.best);
}

}  // namespace
}  // namespace surprisal::bench

int main(int argc, char** argv) {
  surprisal::bench::print_conditions(argc, argv);
  try {
    surprisal::bench::run();
  } catch (const surprisal::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.kind());
  }
  return 0;
}
