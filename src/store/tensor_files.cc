#include "store/tensor_files.h"

#include <algorithm>
#include <map>

#include "surprisal/error.h"

#include "core/json.h"
#include "store/safetensors_header.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNames = 1'000'000;  // as the tensors of one file
constexpr std::size_t kMaxShards = 10'000;

[[noreturn]] void refuse(const fs::path& path, std::string what, std::string found = "",
                         std::string expected = "") {
  throw Error(ErrorKind::data, {.what = std::move(what),
                                .where = path.string(),
                                .found = std::move(found),
                                .expected = std::move(expected)});
}

// The index comes from elsewhere and must not choose what is opened: no separator, so no other directory. (A
// symbolic link is followed as it is for any file of the directory: Hugging Face's cache is made of them.)
void check_shard_name(const std::string& name, const fs::path& index) {
  const bool bare = name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
  if (bare && name.ends_with(".safetensors") && !name.starts_with('.')) return;
  refuse(index, "weight_map names what is no shard", quoted_name(name),
         "the bare name of a .safetensors file beside the index");
}

// Shard -> how many names of weight_map it is to hold.
std::map<std::string, std::size_t> count_shards(const Json& weight_map, const fs::path& index) {
  std::map<std::string, std::size_t> shards;
  for (const auto& [tensor, shard] : weight_map.items()) {
    if (!shard.is_string()) {
      refuse(index, "weight_map " + quoted_name(tensor) + " has a wrong value", shard.type_name(),
             "a string");
    }
    const auto& name = shard.get_ref<const std::string&>();
    if (++shards[name] == 1) check_shard_name(name, index);
    if (shards.size() > kMaxShards) refuse(index, "too many shards", "", "at most 10000");
  }
  return shards;
}

// Names in both are unique, so equal counts and one inclusion are equality.
void check_shard(const SafetensorsFile& file, const std::string& shard, std::size_t expected,
                 const Json& weight_map, const fs::path& index) {
  for (const StoredTensor& tensor : file.tensors()) {
    auto entry = weight_map.find(tensor.name);
    if (entry == weight_map.end() || *entry != shard) {
      refuse(file.path(), "tensor " + quoted_name(tensor.name) + " is not the index's",
             entry == weight_map.end()
                 ? "not in weight_map"
                 : "weight_map has it in " + quoted_name(entry->get_ref<const std::string&>()),
             "every tensor of a shard in weight_map, for that shard");
    }
  }
  if (file.tensors().size() == expected) return;
  for (const auto& [name, of] : weight_map.items()) {
    if (of == shard && file.find(name) == nullptr) {
      refuse(index, "tensor " + quoted_name(name) + " is not in its shard", "", "in " + quoted_name(shard));
    }
  }
}

}  // namespace

std::optional<fs::path> find_weights(const fs::path& directory) {
  std::error_code ignored;
  for (const char* name : {kWeightsFile, kWeightsIndex}) {
    if (fs::exists(directory / name, ignored)) return directory / name;
  }
  return std::nullopt;
}

TensorFiles::TensorFiles(const fs::path& path) : path_(path) {
  if (path.extension() == ".json") {
    read_index();
  } else {
    files_.emplace_back(path);
  }
  for (const SafetensorsFile& file : files_) {
    for (const StoredTensor& tensor : file.tensors()) tensors_.push_back(&tensor);
  }
  std::sort(tensors_.begin(), tensors_.end(),
            [](const StoredTensor* a, const StoredTensor* b) { return a->name < b->name; });
}

void TensorFiles::read_index() {
  const std::string where = path_.string();
  const Json index = parse_json(MappedFile(path_).text(), where);
  if (!index.is_object()) refuse(path_, "not an index of shards", index.type_name(), "a JSON object");
  const Json& weight_map = require(index, "weight_map", where);
  if (!weight_map.is_object() || weight_map.empty() || weight_map.size() > kMaxNames) {
    refuse(path_, "weight_map has a wrong value", "", "an object of 1 to 1000000 tensors and their shards");
  }
  const std::map<std::string, std::size_t> shards = count_shards(weight_map, path_);
  files_.reserve(shards.size());
  for (const auto& [name, tensors] : shards) {
    check_shard(files_.emplace_back(path_.parent_path() / name), name, tensors, weight_map, path_);
  }
}

}  // namespace surprisal
