#include "store/sharded_files.h"

#include <fmt/format.h>

#include "core/file.h"
#include "core/json.h"
#include "store/tensor_files.h"

namespace surprisal {
namespace {

std::vector<std::vector<BytesToWrite>> share_out(const std::vector<BytesToWrite>& tensors,
                                                 std::int64_t most_bytes) {
  std::vector<std::vector<BytesToWrite>> shards(1);
  std::int64_t size = 0;
  for (const BytesToWrite& tensor : tensors) {
    if (!shards.back().empty() && size + tensor.size > most_bytes) {
      shards.emplace_back();
      size = 0;
    }
    shards.back().push_back(tensor);
    size += tensor.size;
  }
  return shards;
}

void write_index(const std::filesystem::path& path, const std::vector<std::vector<BytesToWrite>>& shards,
                 const std::vector<std::string>& names) {
  OrderedJson weight_map = OrderedJson::object();
  std::int64_t total = 0;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    for (const BytesToWrite& tensor : shards[shard]) {
      weight_map[tensor.name] = names[shard];
      total += tensor.size;
    }
  }
  const OrderedJson index{{"metadata", {{"total_size", total}}}, {"weight_map", std::move(weight_map)}};
  write_file(path, index.dump(2) + '\n');
}

}  // namespace

std::vector<std::string> write_sharded(const std::filesystem::path& directory,
                                       const std::vector<BytesToWrite>& tensors, std::int64_t most_bytes) {
  const auto shards = share_out(tensors, most_bytes);
  if (shards.size() == 1) {
    write_safetensors(directory / kWeightsFile, tensors);
    return {kWeightsFile};
  }
  std::vector<std::string> names;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    names.push_back(fmt::format("model-{:05}-of-{:05}.safetensors", shard + 1, shards.size()));
    write_safetensors(directory / names.back(), shards[shard]);
  }
  write_index(directory / kWeightsIndex, shards, names);
  return names;
}

}  // namespace surprisal
