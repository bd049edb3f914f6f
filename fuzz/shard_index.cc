// model.safetensors.index.json, beside two shards.
#include "fuzz/target.h"
#include "store/tensor_files.h"

namespace surprisal::fuzz {
namespace {

void write_shard(const std::string& file, const std::string& tensor) {
  auto fill = [](std::int64_t, std::span<float> out) { std::fill(out.begin(), out.end(), 1.0F); };
  write_safetensors(directory() / file, {{tensor, {2}, fill}});
}

}  // namespace

void read(std::string_view input) {
  static const bool written =
      (write_shard("one.safetensors", "a"), write_shard("two.safetensors", "b"), true);
  expect(written, "shards");
  const TensorFiles files(write("model.safetensors.index.json", input));
  expect(files.tensors().size() == files.files().size(), "tensors that no shard has");
  for (const SafetensorsFile& file : files.files()) {
    expect(file.path().parent_path() == directory(), "a shard of another directory");
  }
}

std::vector<std::string> seeds() {
  return {R"({"metadata":{"total_size":16},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}})",
          R"({"weight_map":{"a":"one.safetensors"}})", R"({"weight_map":{"a":"../one.safetensors"}})",
          R"({"weight_map":{"a":"two.safetensors"}})"};
}

}  // namespace surprisal::fuzz
