#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file.h"
#include "model/family.h"
#include "store/import_glm_130b.h"
#include "store/manifest.h"
#include "store/merge_shards.h"
#include "store/model_directory.h"
#include "store/sharded_files.h"
#include "store/stored_parameters.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/model/tiny_models.h"

namespace surprisal {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

// A tensor as one rank of the released layout has it, in F16 (two bytes an element).
struct Held {
  std::vector<std::int64_t> shape;
  std::vector<std::uint16_t> values;
};
using Shard = std::map<std::string, Held>;

enum class Cut { none, rows, columns, halves };

Cut cut_of(const std::string& name) {
  const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (has("word_embeddings") || has("query_key_value")) return Cut::rows;
  if (has("dense_h_to_4h")) return Cut::halves;
  if (has("attention.dense.weight") || has("dense_4h_to_h.weight")) return Cut::columns;
  return Cut::none;
}

// Element by element, from the definition: element (row, column) of the whole is rank r's.
Held part_of(const Held& whole, Cut cut, std::int64_t rank, std::int64_t ranks) {
  if (cut == Cut::none) return whole;
  const std::int64_t rows = whole.shape[0], columns = whole.shape.size() == 2 ? whole.shape[1] : 1;
  Held part = {whole.shape, {}};
  part.shape[cut == Cut::columns ? 1 : 0] /= ranks;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t half = rows / 2;
      const std::int64_t owner = cut == Cut::columns ? column / (columns / ranks)
                                 : cut == Cut::rows  ? row / (rows / ranks)
                                                     : row % half / (half / ranks);
      if (owner == rank)
        part.values.push_back(whole.values[static_cast<std::size_t>(row * columns + column)]);
    }
  }
  return part;
}

// A tiny GLM-130B whose sizes three and six ranks divide: numbers of its own in every element.
class Import : public testing::Test {
 protected:
  Import() {
    const ParameterTable table = make_parameter_table(config_);
    for (const Binding& binding : find_family("glm-130b", "").bindings(config_, table)) {
      Held& tensor = whole_[binding.stored];
      tensor.shape = binding.stored_shape(table);
      const auto size = static_cast<std::size_t>(
          std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::int64_t{1}, std::multiplies<>()));
      for (std::size_t i = 0; i < size; ++i) tensor.values.push_back(next_value());
    }
  }

  static ModelConfig tiny() {
    ModelOptions options = tiny_options("glm-130b");
    options.num_attention_heads = 6;
    options.intermediate_size = 30;
    return find_family("glm-130b", "").from_options(options, 66, 17);
  }
  std::uint16_t next_value() { return static_cast<std::uint16_t>(0x1000 + value_++ % 0x6000); }

  std::vector<Shard> split(std::int64_t ranks, bool frequencies = true) const {
    std::vector<Shard> shards(static_cast<std::size_t>(ranks));
    for (std::int64_t rank = 0; rank < ranks; ++rank) {
      Shard& shard = shards[static_cast<std::size_t>(rank)];
      for (const auto& [name, tensor] : whole_) shard[name] = part_of(tensor, cut_of(name), rank, ranks);
      if (!frequencies) continue;
      for (const char* layer : {"0", "1"}) {
        shard[std::string("transformer.layers.") + layer + ".attention.rotary_emb.inv_freq"] = {{3},
                                                                                                {1, 2, 3}};
      }
    }
    return shards;
  }

  fs::path write(const Shard& shard, const std::string& name, const char* dtype = "F16") const {
    std::vector<BytesToWrite> tensors;
    for (const auto& [tensor, held] : shard) {
      tensors.push_back(
          {tensor, dtype, held.shape, std::ssize(held.values) * 2,
           [&held](const BytesToWrite::Sink& sink) { sink(std::as_bytes(std::span(held.values))); }});
    }
    write_safetensors(directory_ / name, tensors);
    return directory_ / name;
  }
  std::vector<fs::path> write(const std::vector<Shard>& shards) const {
    std::vector<fs::path> paths;
    for (std::size_t rank = 0; rank < shards.size(); ++rank) {
      paths.push_back(write(shards[rank], "mp_rank_0" + std::to_string(rank) + "_model_states.safetensors"));
    }
    return paths;
  }

  fs::path out() const { return directory_ / "out"; }
  Glm130bImported import(const std::vector<fs::path>& paths) const {
    return import_glm_130b({.shards = paths}, out());
  }
  std::string refusal(const std::vector<fs::path>& paths, ErrorKind kind = ErrorKind::data) const {
    const std::string message = error_of([&] { import(paths); }, kind);
    EXPECT_FALSE(fs::exists(out()));
    return message;
  }

  void expect_whole() const {
    const TensorFiles files(*find_weights(out()));
    ASSERT_EQ(files.tensors().size(), whole_.size());
    for (const StoredTensor* tensor : files.tensors()) {
      const Held& held = whole_.at(tensor->name);
      EXPECT_EQ(tensor->dtype, "F16");
      EXPECT_EQ(tensor->shape, held.shape) << tensor->name;
      ASSERT_EQ(tensor->bytes.size(), held.values.size() * 2);
      EXPECT_EQ(std::memcmp(tensor->bytes.data(), held.values.data(), tensor->bytes.size()), 0)
          << tensor->name;
    }
  }

  ModelConfig config_ = tiny();
  Shard whole_;
  std::uint32_t value_ = 0;
  TemporaryDirectory directory_;
};

TEST_F(Import, MergesWhatWasSplit) {
  for (std::int64_t ranks : {1, 2, 3, 6}) {
    const Glm130bImported imported = import(write(split(ranks)));
    expect_whole();
    EXPECT_EQ(imported.parallel_size, ranks);
    EXPECT_EQ(imported.parameters, make_parameter_table(config_).count);
    verify_manifest(out());
    fs::remove_all(out());
  }
}

TEST_F(Import, DerivesTheConfigurationFromTheShapes) {
  import_glm_130b({.shards = write(split(3)), .max_sequence_length = 77}, out());
  const ModelConfig config = read_model_config(out());
  EXPECT_EQ(config.family, "glm-130b");
  EXPECT_EQ(config.vocab_size, 66);
  EXPECT_EQ(config.hidden_size, 36);
  EXPECT_EQ(config.intermediate_size, 30);
  EXPECT_EQ(config.num_hidden_layers, 2);
  EXPECT_EQ(config.num_attention_heads, 6);
  EXPECT_EQ(config.max_position_embeddings, 77);
  EXPECT_EQ(parse_json(read_file(out() / "config.json"), "").at("dtype"), "float16");
  Transformer model(config, Mode::evaluate, {.tokens = 1});
  load_weights(out(), model);  // which checks every tensor
}

TEST_F(Import, WritesSeveralFilesAndTheirIndex) {
  const Glm130bImported imported = import_glm_130b({.shards = write(split(2)), .shard_bytes = 9000}, out());
  EXPECT_GT(imported.files.size(), 3u);
  EXPECT_EQ(imported.files.front().substr(0, 15), "model-00001-of-");
  EXPECT_FALSE(fs::exists(out() / kWeightsFile));
  expect_whole();
  std::int64_t bytes = 0;
  const TensorFiles files(out() / kWeightsIndex);
  for (const StoredTensor* tensor : files.tensors()) bytes += std::ssize(tensor->bytes);
  EXPECT_EQ(imported.bytes, bytes);
  EXPECT_EQ(parse_json(read_file(out() / kWeightsIndex), "").at("metadata").at("total_size"), bytes);
}

TEST_F(Import, GoesByTheRanksInTheNames) {
  std::vector<fs::path> paths = write(split(3));
  std::swap(paths[0], paths[2]);
  import(paths);
  expect_whole();
}

TEST_F(Import, GoesByTheOrderGivenWhereNamesHaveNoRanks) {
  const std::vector<Shard> shards = split(3);
  import({write(shards[0], "z.safetensors"), write(shards[1], "y.safetensors"),
          write(shards[2], "x.safetensors")});
  expect_whole();
}

TEST_F(Import, NamesAMissingShard) {
  std::vector<fs::path> paths = write(split(3));
  EXPECT_THAT(refusal({paths[0], paths[2]}),
              AllOf(HasSubstr("a shard is missing: found rank 2 next to 0, expected rank 1")));
  EXPECT_THAT(refusal({paths[0], paths[1]}), HasSubstr("a shard is missing: found 2 shards, each one of 3"));
  EXPECT_THAT(refusal({paths[1], paths[2]}), HasSubstr("expected rank 0"));
  EXPECT_THAT(error_of(
                  [&] {
                    import({paths[0], directory_ / "none.safetensors"});
                  },
                  ErrorKind::io),
              HasSubstr("none.safetensors"));
}

TEST_F(Import, NamesADoubledShard) {
  std::vector<fs::path> paths = write(split(3));
  EXPECT_THAT(refusal({paths[0], paths[1], paths[1]}),
              AllOf(HasSubstr("mp_rank_01"), HasSubstr("a shard is given twice")));
  const fs::path again = directory_ / "mp_rank_2_copy.safetensors";
  fs::copy_file(paths[1], again);
  EXPECT_THAT(
      refusal({paths[0], paths[1], again}),
      AllOf(HasSubstr("mp_rank_2_copy"), HasSubstr("a shard is given twice"), HasSubstr("mp_rank_01")));
  fs::copy_file(paths[1], directory_ / "other.safetensors");
  EXPECT_THAT(refusal({paths[0], paths[1], directory_ / "other.safetensors"}),
              AllOf(HasSubstr("other.safetensors"), HasSubstr("a shard is given twice")));
}

TEST_F(Import, NamesAShardOfAnotherParallelSize) {
  const std::vector<fs::path> three = write(split(3));
  const fs::path of_two = write(split(2)[1], "mp_rank_01_of_two.safetensors");
  EXPECT_THAT(
      refusal({three[0], of_two, three[2]}),
      AllOf(HasSubstr("mp_rank_01_of_two"), HasSubstr("shards of different parallel sizes: found one of 2"),
            HasSubstr("expected one of 3")));
  std::vector<fs::path> four = three;
  four.push_back(write(split(3)[0], "mp_rank_03.safetensors"));
  EXPECT_THAT(refusal(four), HasSubstr("there are too many shards: found 4 shards, each one of 3"));
}

TEST_F(Import, NamesWhatDoesNotFitTogether) {
  std::vector<Shard> shards = split(3);
  shards[1]["transformer.layers.1.mlp.dense_4h_to_h.bias"].values[4] ^= 1;
  EXPECT_THAT(refusal(write(shards)), AllOf(HasSubstr("mp_rank_01"), HasSubstr("dense_4h_to_h.bias"),
                                            HasSubstr("differs from that of")));
  shards = split(3);
  shards[2].erase("transformer.layers.0.mlp.dense_h_to_4h.weight");
  EXPECT_THAT(refusal(write(shards)),
              AllOf(HasSubstr("mp_rank_02"), HasSubstr("dense_h_to_4h"), HasSubstr("missing")));
  shards = split(3);
  shards[2]["extra"] = {{1}, {1}};
  EXPECT_THAT(refusal(write(shards)), AllOf(HasSubstr("mp_rank_00"), HasSubstr("\"extra\" is missing")));
  for (Shard& shard : shards) shard["extra"] = {{1}, {1}};
  EXPECT_THAT(refusal(write(shards)), HasSubstr("merged tensor \"extra\" is not one of GLM-130B"));
  shards = split(3);
  for (Shard& shard : shards) shard.erase("transformer.layers.1.attention.dense.bias");
  EXPECT_THAT(refusal(write(shards)), HasSubstr("\"transformer.layers.1.attention.dense.bias\" is missing"));
  shards = split(3);
  for (Shard& shard : shards) shard.erase("transformer.final_layernorm.weight");
  EXPECT_THAT(refusal(write(shards)), HasSubstr("not a shard of GLM-130B"));
}

TEST_F(Import, RefusesQuantisedShards) {
  std::vector<Shard> shards = split(1);
  shards[0]["transformer.layers.0.attention.dense.weight_scale"] = {{36}, std::vector<std::uint16_t>(36)};
  EXPECT_THAT(refusal(write(shards)), AllOf(HasSubstr("quantised"), HasSubstr("weight_scale")));
  EXPECT_THAT(refusal({write(split(1)[0], "integers.safetensors", "I16")}), HasSubstr("quantised"));
}

TEST_F(Import, AsksForHeadsThatShapesDoNotTell) {
  const std::vector<fs::path> paths = write(split(3, false));
  EXPECT_THAT(refusal(paths, ErrorKind::usage), HasSubstr("--num-attention-heads"));
  EXPECT_THAT(
      error_of([&] { import_glm_130b({.shards = paths, .num_attention_heads = 2}, out()); }, ErrorKind::data),
      HasSubstr("do not divide the attention heads: found 2 heads and 3 shards"));
  import_glm_130b({.shards = paths, .num_attention_heads = 6}, out());
  expect_whole();
  fs::remove_all(out());
  const std::vector<fs::path> telling = write(split(3));
  EXPECT_THAT(error_of([&] { import_glm_130b({.shards = telling, .num_attention_heads = 12}, out()); },
                       ErrorKind::usage),
              AllOf(HasSubstr("another number of attention heads: found 6"), HasSubstr("expected 12")));
}

TEST_F(Import, OverwritesNothing) {
  fs::create_directory(out());
  EXPECT_THAT(error_of([&] { import(write(split(3))); }, ErrorKind::usage), HasSubstr("already exists"));
}

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * 4096;
}

// 96 MiB a rank, of which at most a few pieces are held: those of a mapping count, too.
TEST_F(Import, HoldsAFewPiecesAtATime) {
  constexpr std::int64_t kColumns = 1 << 12, kRows = 1 << 12, kTensors = 3;
  std::vector<fs::path> paths;
  for (int rank = 0; rank < 2; ++rank) {
    std::vector<BytesToWrite> tensors;
    for (int index = 0; index < kTensors; ++index) {
      tensors.push_back({"tensor." + std::to_string(index),
                         "F16",
                         {kRows, kColumns},
                         kRows * kColumns * 2,
                         [](const BytesToWrite::Sink& sink) {
                           const std::vector<std::byte> row(kColumns * 2, std::byte{7});
                           for (std::int64_t i = 0; i < kRows; ++i) sink(row);
                         }});
    }
    paths.push_back(directory_ / ("big" + std::to_string(rank)));
    write_safetensors(paths.back(), tensors);
  }
  std::vector<SafetensorsFile> shards;
  for (const fs::path& path : paths) shards.emplace_back(path);
  std::vector<BytesToWrite> merged = merge_shards(shards, [](std::string_view name) {
    return name == "tensor.0" ? Split::columns : name == "tensor.1" ? Split::gated_rows : Split::replicated;
  });
  const std::int64_t before = resident_bytes();
  std::int64_t most = before;
  for (BytesToWrite& tensor : merged) {
    tensor.produce = [&most, whole = std::move(tensor.produce)](const BytesToWrite::Sink& sink) {
      whole([&](std::span<const std::byte> bytes) {
        sink(bytes);
        most = std::max(most, resident_bytes());
      });
    };
  }
  const std::vector<std::string> files = write_sharded(directory_ / "", merged, std::int64_t{1} << 40);
  EXPECT_THAT(files, testing::ElementsAre("model.safetensors"));
  EXPECT_EQ(fs::file_size(directory_ / "model.safetensors") >> 20, 64 + 64 + 32);
  EXPECT_LT(most - before, 48 << 20);
}

}  // namespace
}  // namespace surprisal
