#include "store/import_glm_130b.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "surprisal/error.h"

#include "core/file.h"
#include "core/json.h"
#include "model/family.h"
#include "model/parameter.h"
#include "store/commit.h"
#include "store/merge_shards.h"
#include "store/safetensors_header.h"
#include "store/sharded_files.h"
#include "store/widen.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFirstLayer = "transformer.layers.0.";

[[noreturn]] void refuse(ErrorKind kind, ErrorParts parts) {
  throw Error(kind, std::move(parts));
}

std::string name_of(const fs::path& path) {
  return path.filename().string();
}

// 7 of "mp_rank_07_model_states.safetensors".
std::optional<int> rank_in_name(const fs::path& path) {
  constexpr std::string_view kMark = "mp_rank_";
  const std::string name = name_of(path);
  const std::size_t at = name.find(kMark);
  if (at == std::string::npos) return std::nullopt;
  int rank = 0;
  const char* begin = name.data() + at + kMark.size();
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), rank);
  return error == std::errc() && end != begin && rank >= 0 ? std::optional(rank) : std::nullopt;
}

[[noreturn]] void refuse_doubled(const fs::path& path, const fs::path& earlier) {
  refuse(ErrorKind::data, {.what = "a shard is given twice",
                           .where = path.string(),
                           .found = "the same as " + earlier.string(),
                           .expected = "each rank once"});
}

// By rank, where every name has one: 0, 1, 2 ... without a gap.
std::vector<fs::path> in_order(std::vector<fs::path> paths) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      std::error_code ignored;
      if (fs::equivalent(paths[i], paths[j], ignored)) refuse_doubled(paths[i], paths[j]);
    }
  }
  std::map<int, fs::path> by_rank;
  for (const fs::path& path : paths) {
    const std::optional<int> rank = rank_in_name(path);
    if (!rank) return paths;
    const auto [entry, added] = by_rank.emplace(*rank, path);
    if (!added) {
      refuse(ErrorKind::data, {.what = fmt::format("two shards have rank {}", *rank),
                               .where = path.string(),
                               .found = "beside " + entry->second.string(),
                               .expected = "each rank once, all of one parallel size"});
    }
  }
  paths.clear();
  for (const auto& [rank, path] : by_rank) {
    const auto expected = static_cast<int>(paths.size());
    if (rank != expected) {
      refuse(ErrorKind::data, {.what = "a shard is missing",
                               .where = path.parent_path().string(),
                               .found = expected == 0 ? fmt::format("rank {} as the first", rank)
                                                      : fmt::format("rank {} next to {}", rank, expected - 1),
                               .expected = fmt::format("rank {}", expected)});
    }
    paths.push_back(path);
  }
  return paths;
}

const StoredTensor& require_tensor(const SafetensorsFile& shard, const std::string& name, std::size_t rank) {
  const StoredTensor* tensor = shard.find(name);
  if (tensor != nullptr && tensor->shape.size() == rank && tensor->elements() > 0) return *tensor;
  refuse(ErrorKind::data, {.what = "not a shard of GLM-130B: tensor " + quoted_name(name) + " is " +
                                   (tensor == nullptr ? "missing" : "of a wrong shape"),
                           .where = shard.path().string(),
                           .found = tensor == nullptr ? "" : shape_text(tensor->shape),
                           .expected = fmt::format("{} axes", rank)});
}

std::int64_t width_of(const SafetensorsFile& shard) {
  return require_tensor(shard, "transformer.final_layernorm.weight", 1).shape[0];
}

// Every rank has its columns of the projection of attention's output.
std::int64_t parallel_size_of(const SafetensorsFile& shard) {
  const StoredTensor& dense = require_tensor(shard, std::string(kFirstLayer) + "attention.dense.weight", 2);
  const std::int64_t width = width_of(shard);
  if (width % dense.shape[1] == 0) return width / dense.shape[1];
  refuse(ErrorKind::data,
         {.what = "not a shard of GLM-130B: tensor " + quoted_name(dense.name) + " does not divide the width",
          .where = shard.path().string(),
          .found = shape_text(dense.shape),
          .expected = fmt::format("columns that divide {}", width)});
}

void refuse_quantised(const SafetensorsFile& shard) {
  for (const StoredTensor& tensor : shard.tensors()) {
    if (!tensor.name.ends_with(".weight_scale") && can_widen(tensor.dtype)) continue;
    refuse(ErrorKind::data, {.what = "quantised weights are not imported: tensor " + quoted_name(tensor.name),
                             .where = shard.path().string(),
                             .found = tensor.dtype,
                             .expected = "the shards of the F16 release",
                             .fix = "merge those first: scales of a shard are those of its own columns"});
  }
}

void check_count(const std::vector<SafetensorsFile>& shards) {
  const std::int64_t size = parallel_size_of(shards.front());
  for (const SafetensorsFile& shard : shards) {
    const std::int64_t other = parallel_size_of(shard);
    if (other == size) continue;
    refuse(ErrorKind::data,
           {.what = "shards of different parallel sizes",
            .where = shard.path().string(),
            .found = fmt::format("one of {}", other),
            .expected = fmt::format("one of {}, as {} is", size, name_of(shards.front().path()))});
  }
  if (std::ssize(shards) == size) return;
  refuse(ErrorKind::data,
         {.what = std::ssize(shards) < size ? "a shard is missing" : "there are too many shards",
          .where = shards.front().path().parent_path().string(),
          .found = fmt::format("{} shards, each one of {}", shards.size(), size),
          .expected = fmt::format("{}", size)});
}

// One rank under two names: no two ranks have the same part of a trained matrix.
void check_copies(const std::vector<SafetensorsFile>& shards) {
  const std::string name = std::string(kFirstLayer) + "attention.dense.weight";
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto a = shards[i].find(name)->bytes, b = shards[j].find(name)->bytes;
      const bool same = std::ranges::equal(a, b);
      release(a);
      release(b);
      if (same) refuse_doubled(shards[i].path(), shards[j].path());
    }
  }
}

Split split_of(std::string_view name) {
  if (name.ends_with(".rotary_emb.inv_freq")) return Split::unread;
  if (name.ends_with("word_embeddings.weight") || name.find(".attention.query_key_value.") != name.npos) {
    return Split::rows;
  }
  if (name.find(".mlp.dense_h_to_4h.") != name.npos) return Split::gated_rows;
  if (name.ends_with(".attention.dense.weight") || name.ends_with(".mlp.dense_4h_to_h.weight")) {
    return Split::columns;
  }
  return Split::replicated;
}

std::int64_t count_layers(const SafetensorsFile& shard) {
  std::int64_t layers = 0;
  while (shard.find(fmt::format("transformer.layers.{}.input_layernorm.weight", layers)) != nullptr) ++layers;
  return layers;
}

// The frequencies are one a pair of a head's elements.
std::int64_t count_heads(const SafetensorsFile& shard, std::int64_t width, std::int64_t given) {
  const StoredTensor* frequency = shard.find(std::string(kFirstLayer) + "attention.rotary_emb.inv_freq");
  const bool usable =
      frequency != nullptr && frequency->elements() > 0 && width % (2 * frequency->elements()) == 0;
  const std::int64_t told = usable ? width / (2 * frequency->elements()) : 0;
  if (told == 0 && given == 0) {
    refuse(ErrorKind::usage, {.what = "the shapes do not tell the number of attention heads",
                              .where = shard.path().string(),
                              .fix = "give --num-attention-heads (96 for the released model)"});
  }
  if (told != 0 && given != 0 && told != given) {
    refuse(ErrorKind::usage, {.what = "another number of attention heads",
                              .where = shard.path().string() + ", rotary_emb.inv_freq",
                              .found = fmt::format("{}", told),
                              .expected = fmt::format("{}, as --num-attention-heads says", given)});
  }
  return given != 0 ? given : told;
}

ModelConfig config_of(const std::vector<SafetensorsFile>& shards, const Glm130bImport& import) {
  const SafetensorsFile& first = shards.front();
  const std::int64_t size = std::ssize(shards), width = width_of(first);
  const auto rows = [&](const std::string& name) { return size * require_tensor(first, name, 2).shape[0]; };
  const Json json{{"vocab_size", rows("transformer.word_embeddings.weight")},
                  {"hidden_size", width},
                  {"inner_hidden_size", rows(std::string(kFirstLayer) + "mlp.dense_h_to_4h.weight") / 2},
                  {"num_layers", count_layers(first)},
                  {"num_attention_heads", count_heads(first, width, import.num_attention_heads)},
                  {"max_sequence_length", import.max_sequence_length}};
  ModelConfig config = find_family("glm-130b", "").read_config(json, first.path().string());
  if (config.num_attention_heads % size != 0) {
    refuse(ErrorKind::data, {.what = "the shards do not divide the attention heads",
                             .where = first.path().string(),
                             .found = fmt::format("{} heads and {} shards", config.num_attention_heads, size),
                             .expected = "whole heads in every shard"});
  }
  return config;
}

// Every tensor of the model in its shape, and no other.
void check_fit(const std::vector<BytesToWrite>& merged, const ModelConfig& config, const std::string& where) {
  const ParameterTable table = make_parameter_table(config);
  std::map<std::string, std::vector<std::int64_t>> expected;
  for (const Binding& binding : find_family(config.family, "").bindings(config, table)) {
    expected[binding.stored] = binding.stored_shape(table);
  }
  for (const BytesToWrite& tensor : merged) {
    const auto entry = expected.find(tensor.name);
    if (entry == expected.end() || entry->second != tensor.shape) {
      refuse(ErrorKind::data,
             {.what = "merged tensor " + quoted_name(tensor.name) +
                      (entry == expected.end() ? " is not one of GLM-130B" : " has a wrong shape"),
              .where = where,
              .found = shape_text(tensor.shape),
              .expected = entry == expected.end() ? "" : shape_text(entry->second)});
    }
    expected.erase(entry);
  }
  if (expected.empty()) return;
  refuse(ErrorKind::data,
         {.what = "tensor " + quoted_name(expected.begin()->first) + " is missing", .where = where});
}

std::int64_t total_bytes(const std::vector<BytesToWrite>& tensors) {
  std::int64_t total = 0;
  for (const BytesToWrite& tensor : tensors) total += tensor.size;
  return total;
}

void check_room(const fs::path& out, std::int64_t bytes) {
  const fs::path parent = fs::absolute(out).parent_path();
  const std::uint64_t room = free_space(parent);
  if (room >= static_cast<std::uint64_t>(bytes)) return;
  refuse(ErrorKind::io, {.what = "not enough room",
                         .where = parent.string(),
                         .found = fmt::format("{} bytes", room),
                         .expected = fmt::format("{} bytes", bytes)});
}

void report_progress(std::vector<BytesToWrite>& tensors, const Glm130bImport& import) {
  if (!import.progress) return;
  const auto total = static_cast<std::uint64_t>(total_bytes(tensors));
  auto done = std::make_shared<std::uint64_t>(0);
  for (BytesToWrite& tensor : tensors) {
    tensor.produce = [whole = std::move(tensor.produce), done, total,
                      progress = import.progress](const BytesToWrite::Sink& sink) {
      whole([&](std::span<const std::byte> bytes) {
        sink(bytes);
        progress(*done += bytes.size(), total);
      });
    };
  }
}

void write_config(const fs::path& directory, const ModelConfig& config, const std::string& dtype) {
  OrderedJson json = find_family(config.family, "").write_config(config);
  json["dtype"] = dtype == "F16" ? "float16" : dtype == "BF16" ? "bfloat16" : "float32";
  write_file(directory / "config.json", json.dump(2) + '\n');
}

std::vector<SafetensorsFile> open_shards(const std::vector<fs::path>& paths) {
  std::vector<SafetensorsFile> shards;
  shards.reserve(paths.size());
  for (const fs::path& path : paths) refuse_quantised(shards.emplace_back(path));
  check_count(shards);
  check_copies(shards);
  return shards;
}

}  // namespace

Glm130bImported import_glm_130b(const Glm130bImport& import, const fs::path& out) {
  std::error_code ignored;
  if (fs::exists(out, ignored)) refuse(ErrorKind::usage, {.what = "already exists", .where = out.string()});
  const std::vector<SafetensorsFile> shards = open_shards(in_order(import.shards));
  const ModelConfig config = config_of(shards, import);
  std::vector<BytesToWrite> merged = merge_shards(shards, split_of);
  check_fit(merged, config, shards.front().path().parent_path().string());
  Glm130bImported imported{.config = config,
                           .parallel_size = std::ssize(shards),
                           .tensors = std::ssize(merged),
                           .parameters = make_parameter_table(config).count,
                           .bytes = total_bytes(merged),
                           .files = {}};
  check_room(out, imported.bytes);
  report_progress(merged, import);
  commit_directory(out, [&](const fs::path& directory) {
    write_config(directory, config, merged.front().dtype);
    imported.files = write_sharded(directory, merged, import.shard_bytes);
  });
  return imported;
}

}  // namespace surprisal
