#include "store/stored_parameters.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/widen.h"
#include "tests/core/error_matchers.h"
#include "tests/core/temporary_directory.h"
#include "tests/model/tiny_models.h"
#include "tests/store/safetensors_bytes.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Widen, IsExactForEveryF16) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const int sign = bits >> 15 ? -1 : 1, exponent = static_cast<int>(bits >> 10 & 31);
    const double fraction = bits & 1023;
    const float value = widen_f16(static_cast<std::uint16_t>(bits));
    EXPECT_EQ(std::signbit(value), sign < 0) << bits;
    if (exponent == 31) {
      EXPECT_TRUE(fraction == 0 ? std::isinf(value) : std::isnan(value)) << bits;
    } else {
      const double magnitude =
          exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
      EXPECT_EQ(value, sign * magnitude) << bits;
    }
  }
}

TEST(Widen, IsTheUpperHalfOfF32ForBf16) {
  EXPECT_EQ(widen_bf16(0x3f80), 1.0f);
  EXPECT_EQ(widen_bf16(0xc049), -3.140625f);
  EXPECT_EQ(widen_bf16(0x0001), std::ldexp(1.0f, -133));
  EXPECT_TRUE(std::isinf(widen_bf16(0x7f80)));
  EXPECT_TRUE(std::isnan(widen_bf16(0x7fc0)));
}

TEST(Round, IsToTheNearestBf16AndTiesToEven) {
  // Every f16 is its own nearest, and half-way goes to even.
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = widen_f16(static_cast<std::uint16_t>(bits));
    if (!std::isnan(value)) {
      ASSERT_EQ(round_to_f16(value), bits);
    }
  }
  EXPECT_EQ(round_to_f16(1 + 0x1p-11f), 0x3c00);
  EXPECT_EQ(round_to_f16(1 + 3 * 0x1p-11f), 0x3c02);
  EXPECT_EQ(round_to_f16(0x1p-25f), 0);
  EXPECT_EQ(round_to_f16(1.5f * 0x1p-24f), 2);
  EXPECT_EQ(round_to_f16(65519.0f), 0x7bff);
  EXPECT_EQ(round_to_f16(-65520.0f), 0xfc00);
  EXPECT_TRUE(std::isnan(widen_f16(round_to_f16(std::nanf("")))));
  EXPECT_EQ(round_to_bf16(1.0f), 0x3f80);
  EXPECT_EQ(round_to_bf16(-0.0f), 0x8000);
  const auto rounded = [](std::uint32_t bits) { return round_to_bf16(std::bit_cast<float>(bits)); };
  EXPECT_EQ(rounded(0x3f807fff), 0x3f80);
  EXPECT_EQ(rounded(0x3f808000), 0x3f80);  // a tie: 0x3f80 is even
  EXPECT_EQ(rounded(0x3f808001), 0x3f81);
  EXPECT_EQ(rounded(0x3f818000), 0x3f82);  // a tie: 0x3f81 is odd
  EXPECT_EQ(rounded(0x00008000), 0x0000);
  EXPECT_EQ(rounded(0x00018000), 0x0002);
  EXPECT_EQ(rounded(0x7f7fffff), 0x7f80);  // the largest f32 is nearer to infinity
  EXPECT_EQ(rounded(0xff800000), 0xff80);
  for (std::uint32_t nan : {0x7f800001u, 0x7fc00000u, 0xffffffffu, 0x7fbfffffu}) {
    EXPECT_TRUE(std::isnan(widen_bf16(rounded(nan)))) << nan;
  }
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = widen_bf16(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) continue;
    EXPECT_EQ(round_to_bf16(value), bits);
  }
}

class StoredParameters : public testing::TestWithParam<const char*> {
 protected:
  StoredParameters()
      : config_(find_family(GetParam(), "").from_options(tiny_options(GetParam()), 211, 17)),
        table_(make_parameter_table(config_)),
        store_(make_parameter_store(config_, table_)),
        flat_(static_cast<std::size_t>(table_.size)) {
    std::iota(flat_.begin(), flat_.end(), 1.0f);  // distinct, exact in f32
  }

  // Writes the parameters after `change` to the list of tensors, and reads them back.
  std::vector<float> round_trip(const std::function<void(std::vector<TensorToWrite>&)>& change = {}) {
    std::vector<TensorToWrite> tensors = parameters_to_write(store_, flat_);
    if (change) change(tensors);
    write_safetensors(path_, tensors);
    std::vector<float> read(flat_.size(), -1);
    read_parameters(TensorFiles(path_), store_, false, read);
    return read;
  }
  void expect_whole(const std::vector<float>& read) const {
    for (const Parameter& parameter : table_.parameters) {
      for (std::int64_t i = parameter.offset; i < parameter.offset + parameter.shape.elements(); ++i) {
        ASSERT_EQ(read[static_cast<std::size_t>(i)], flat_[static_cast<std::size_t>(i)])
            << parameter.name << " " << i;
      }
    }
  }
  static TensorToWrite& tensor_of(std::vector<TensorToWrite>& tensors, const std::string& name) {
    return *std::ranges::find(tensors, name, &TensorToWrite::name);
  }
  std::string refusal(const std::function<void(std::vector<TensorToWrite>&)>& change) {
    return error_of([&] { round_trip(change); }, ErrorKind::data);
  }
  static TensorToWrite zeros(const std::string& name, std::vector<std::int64_t> shape) {
    return {name, std::move(shape),
            [](std::int64_t, std::span<float> out) { std::fill(out.begin(), out.end(), 0.0f); }};
  }

  ModelConfig config_;
  ParameterTable table_;
  ParameterStore store_;
  std::vector<float> flat_;
  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "model.safetensors";
};
INSTANTIATE_TEST_SUITE_P(Families, StoredParameters, testing::Values("bert", "roberta", "gpt2"));

TEST_P(StoredParameters, ComeBackBitForBit) {
  expect_whole(round_trip());
}

// The family's names of the token embedding, of its second copy, and of a buffer.
struct FamilyNames {
  std::string embedding, copy, buffer;
};
FamilyNames names_of(const std::string& family) {
  if (family == "gpt2") return {"transformer.wte.weight", "lm_head.weight", "transformer.h.0.attn.bias"};
  return {family + ".embeddings.word_embeddings.weight",
          family == "bert" ? "cls.predictions.decoder.weight" : "lm_head.decoder.weight",
          family + ".embeddings.position_ids"};
}

TEST_P(StoredParameters, PassOverBuffersAndEqualCopies) {
  const FamilyNames names = names_of(GetParam());
  const std::vector<float> read = round_trip([&](std::vector<TensorToWrite>& tensors) {
    TensorToWrite copy = tensor_of(tensors, names.embedding);
    copy.name = names.copy;
    tensors.push_back(copy);
    tensors.push_back(zeros(names.buffer, {1, 17}));
  });
  expect_whole(read);
}

TEST_P(StoredParameters, TakeTheCopyWhereTheFirstIsAbsent) {
  const FamilyNames names = names_of(GetParam());
  expect_whole(round_trip(
      [&](std::vector<TensorToWrite>& tensors) { tensor_of(tensors, names.embedding).name = names.copy; }));
}

TEST_P(StoredParameters, RefuseACopyThatDiffers) {
  const FamilyNames names = names_of(GetParam());
  const std::string message = refusal([&](std::vector<TensorToWrite>& tensors) {
    TensorToWrite copy = tensor_of(tensors, names.embedding);
    copy.name = names.copy;
    copy.fill = [fill = copy.fill](std::int64_t begin, std::span<float> out) {
      fill(begin, out);
      out.back() += 1;
    };
    tensors.push_back(copy);
  });
  EXPECT_THAT(message, AllOf(HasSubstr("two tensors that the model shares differ"), HasSubstr(names.copy),
                             HasSubstr(names.embedding), HasSubstr("tie_word_embeddings")));
}

// As AutoModel.save_pretrained writes the body, and as files converted from TensorFlow call their norms.
TEST_P(StoredParameters, AreFoundUnderOlderNames) {
  const std::string prefix = store_.family.prefix;
  expect_whole(round_trip([&](std::vector<TensorToWrite>& tensors) {
    for (TensorToWrite& tensor : tensors) {
      if (tensor.name.starts_with(prefix)) tensor.name.erase(0, prefix.size());
    }
  }));
  int renamed = 0;
  expect_whole(round_trip([&](std::vector<TensorToWrite>& tensors) {
    for (TensorToWrite& tensor : tensors) {
      const std::size_t norm = tensor.name.rfind("LayerNorm.");
      if (norm == std::string::npos) continue;
      tensor.name.replace(norm + 10, std::string::npos, tensor.name.ends_with("weight") ? "gamma" : "beta");
      ++renamed;
    }
  }));
  EXPECT_EQ(renamed, store_.family.name == "gpt2" ? 0 : store_.family.name == "bert" ? 12 : 10);
}

TEST_P(StoredParameters, RefuseATensorUnderTwoNames) {
  const FamilyNames names = names_of(GetParam());
  const std::string older = names.embedding.substr(store_.family.prefix.size());
  const std::string message = refusal([&](std::vector<TensorToWrite>& tensors) {
    TensorToWrite copy = tensor_of(tensors, names.embedding);
    copy.name = older;
    tensors.push_back(copy);
  });
  EXPECT_THAT(message, AllOf(HasSubstr("under an older and a newer name"), HasSubstr(older)));
}

TEST_P(StoredParameters, OfAnUntiedHeadAreReadAndWritten) {
  config_.tie_word_embeddings = false;
  const ParameterTable table = make_parameter_table(config_);
  const ParameterStore store = make_parameter_store(config_, table);
  std::vector<float> flat(static_cast<std::size_t>(table.size)), read(flat.size(), -1);
  std::iota(flat.begin(), flat.end(), 1.0f);
  std::vector<TensorToWrite> tensors = parameters_to_write(store, flat);
  // `transformers` 5 keeps a bias beside the decoder's own that nothing reads.
  if (config_.head_bias) {
    tensors.push_back(zeros(config_.family == "bert" ? "cls.predictions.bias" : "lm_head.bias", {211}));
  }
  write_safetensors(path_, tensors);
  read_parameters(TensorFiles(path_), store, false, read);
  const Parameter& head = table.parameters[static_cast<std::size_t>(table.find("head.weight"))];
  EXPECT_EQ(read[static_cast<std::size_t>(head.offset)], flat[static_cast<std::size_t>(head.offset)]);
  const SafetensorsFile file(path_);
  EXPECT_NE(file.find(names_of(GetParam()).copy), nullptr);
}

TEST_P(StoredParameters, NameEveryTensorThatDoesNotFitAtOnce) {
  const bool gpt2 = config_.family == "gpt2";
  const std::string layer = gpt2 ? "transformer.h." : config_.family + ".encoder.layer.";
  const std::string missing = layer + (gpt2 ? "1.ln_2.weight" : "1.attention.self.key.weight");
  const std::string wrong = layer + (gpt2 ? "0.mlp.c_proj.weight" : "0.output.dense.weight");
  const std::string message = refusal([&](std::vector<TensorToWrite>& tensors) {
    std::erase_if(tensors, [&](const TensorToWrite& tensor) { return tensor.name == missing; });
    tensor_of(tensors, wrong) = zeros(wrong, {7, 3});
    tensors.push_back(zeros(layer + "2.extra", {5}));
    tensors.push_back(zeros("classifier.weight", {3, 36}));
  });
  EXPECT_THAT(message, AllOf(HasSubstr(path_.string() + ": 4 tensors do not fit the configuration: "),
                             HasSubstr(missing + " is missing, expected " + (gpt2 ? "[36]" : "[36, 36]")),
                             HasSubstr(wrong + " has a wrong shape, found [7, 3], expected " +
                                       (gpt2 ? "[50, 36]" : "[36, 50]")),
                             HasSubstr("\"" + layer + "2.extra\" is not expected, found [5]"),
                             HasSubstr("\"classifier.weight\" is not expected, found [3, 36]")));
  EXPECT_THAT(message, testing::Not(HasSubstr("new_heads")));  // it would not help
}

TEST_P(StoredParameters, AreLeftAloneByAFileThatDoesNotFit) {
  std::vector<TensorToWrite> tensors = parameters_to_write(store_, flat_);
  tensors.pop_back();
  write_safetensors(path_, tensors);
  std::vector<float> target(flat_.size(), -1);
  EXPECT_THAT(error_of([&] { read_parameters(TensorFiles(path_), store_, false, target); }, ErrorKind::data),
              HasSubstr("1 tensor does not fit the configuration"));
  EXPECT_THAT(target, testing::Each(-1.0f));
}

TEST_P(StoredParameters, BoundTheLengthOfTheMessage) {
  const std::string message = refusal([&](std::vector<TensorToWrite>& tensors) {
    for (int i = 0; i < 1500; ++i) tensors.push_back(zeros("stray." + std::to_string(i), {0}));
  });
  EXPECT_THAT(message, AllOf(HasSubstr("1500 tensors do not fit"), HasSubstr("; and 500 more")));
}

// The stored orientation, against the definition: Conv1D is the transpose, and q, k and v are rows of one
// matrix.
TEST(StoredLayout, TransposesConv1dOfGpt2) {
  const ModelConfig config = tiny_gpt2();
  const ParameterTable table = make_parameter_table(config);
  const ParameterStore store = make_parameter_store(config, table);
  std::vector<float> flat(static_cast<std::size_t>(table.size));
  std::iota(flat.begin(), flat.end(), 0.0f);
  TemporaryDirectory directory;
  write_safetensors(directory.path() / "f", parameters_to_write(store, flat));
  const SafetensorsFile file(directory.path() / "f");
  const StoredTensor& stored = *file.find("transformer.h.1.attn.c_attn.weight");
  ASSERT_EQ(stored.shape, (std::vector<std::int64_t>{36, 108}));
  const Parameter& ours =
      table.parameters[static_cast<std::size_t>(table.find("layer.1.attention.qkv.weight"))];
  for (std::int64_t in = 0; in < 36; ++in) {
    for (std::int64_t out = 0; out < 108; ++out) {
      float value = 0;
      std::memcpy(&value, stored.bytes.data() + 4 * (in * 108 + out), 4);
      ASSERT_EQ(value, flat[static_cast<std::size_t>(ours.offset + out * 36 + in)]) << in << " " << out;
    }
  }
}

TEST(StoredLayout, JoinsQueryKeyAndValueOfBert) {
  const ModelConfig config = tiny_bert();
  const ParameterTable table = make_parameter_table(config);
  std::vector<float> flat(static_cast<std::size_t>(table.size));
  std::iota(flat.begin(), flat.end(), 0.0f);
  TemporaryDirectory directory;
  write_safetensors(directory.path() / "f", parameters_to_write(make_parameter_store(config, table), flat));
  const SafetensorsFile file(directory.path() / "f");
  const Parameter& ours =
      table.parameters[static_cast<std::size_t>(table.find("layer.1.attention.qkv.weight"))];
  const float* matrix = flat.data() + ours.offset;
  const std::string prefix = "bert.encoder.layer.1.attention.self.";
  for (const char* part : {"query.weight", "key.weight", "value.weight"}) {
    EXPECT_EQ(std::memcmp(file.find(prefix + part)->bytes.data(), matrix, 36 * 36 * 4), 0) << part;
    matrix += 36 * 36;
  }
}

// One tensor in another dtype, at an odd address.
std::string tiny_file(const std::string& dtype, const std::string& data) {
  return safetensors_bytes(R"({"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"t":{"dtype":")" + dtype +
                               R"(","shape":[2],"data_offsets":[1,)" + std::to_string(1 + data.size()) +
                               "]}}",
                           "?" + data);
}

TEST(Widen, ReadsAnyAlignment) {
  TemporaryDirectory directory;
  const auto path = directory.path() / "f";
  for (const auto& [dtype, data] :
       {std::pair<std::string, std::string>{"F32", number_bytes<float>({1.5f, -2.0f})},
        {"F16", number_bytes<std::uint16_t>({0x3e00, 0xc000})},
        {"BF16", number_bytes<std::uint16_t>({0x3fc0, 0xc000})}}) {
    write_bytes(path, tiny_file(dtype, data));
    const SafetensorsFile file(path);
    float values[2] = {};
    widen(*file.find("t"), 0, values);
    EXPECT_EQ(values[0], 1.5f) << dtype;
    EXPECT_EQ(values[1], -2.0f) << dtype;
    widen(*file.find("t"), 1, std::span(values).first(1));
    EXPECT_EQ(values[0], -2.0f) << dtype;
  }
  EXPECT_FALSE(can_widen("F64"));
  EXPECT_FALSE(can_widen("I32"));
}

// Every element of a model, read back from a file of it.
std::vector<float> written_and_read(const ModelConfig& config, const std::vector<float>& flat,
                                    const std::function<void(std::vector<TensorToWrite>&)>& change = {}) {
  const ParameterTable table = make_parameter_table(config);
  const ParameterStore store = make_parameter_store(config, table);
  TemporaryDirectory directory;
  std::vector<TensorToWrite> tensors = parameters_to_write(store, flat);
  if (change) change(tensors);
  write_safetensors(directory / "model.safetensors", tensors);
  std::vector<float> read = flat;
  for (const Parameter& parameter : table.parameters) {
    std::fill_n(read.begin() + parameter.offset, parameter.shape.elements(), -1.0f);
  }
  read_parameters(TensorFiles(directory / "model.safetensors"), store, false, read);
  return read;
}

std::vector<float> distinct(const ModelConfig& config) {
  std::vector<float> flat(static_cast<std::size_t>(make_parameter_table(config).size));
  std::iota(flat.begin(), flat.end(), 1.0f);
  return flat;
}

TEST(StoredGlm, ComesBackBitForBitWithItsPrefixAndWithout) {
  const ModelConfig config = tiny_glm();
  const std::vector<float> flat = distinct(config);
  EXPECT_EQ(written_and_read(config, flat), flat);
  const auto saved_by_a_class = [](std::vector<TensorToWrite>& tensors) {
    for (TensorToWrite& tensor : tensors) tensor.name.insert(0, "glm.");
  };
  EXPECT_EQ(written_and_read(config, flat, saved_by_a_class), flat);
  const auto with_a_classifier = [](std::vector<TensorToWrite>& tensors) {
    for (const char* name : {"dense.weight", "dense.bias", "out_proj.weight"}) {
      tensors.push_back(
          {name, {3}, [](std::int64_t, std::span<float> out) { std::ranges::fill(out, 0.0f); }});
    }
  };
  EXPECT_EQ(written_and_read(config, flat, with_a_classifier), flat);
}

TEST(StoredGlm130b, ComesBackBitForBitWithItsFrequencies) {
  const ModelConfig config = tiny_glm_130b();
  const std::vector<float> flat = distinct(config);
  EXPECT_EQ(written_and_read(config, flat), flat);
  const auto as_released = [](std::vector<TensorToWrite>& tensors) {
    tensors.push_back({"transformer.layers.0.attention.rotary_emb.inv_freq",
                       {6},
                       [](std::int64_t, std::span<float> out) { std::ranges::fill(out, 0.0f); }});
  };
  EXPECT_EQ(written_and_read(config, flat, as_released), flat);
}

// Row (head, part, d) of the file is row (part, head, d) of ours, of weight and bias, in pieces of any size.
TEST(StoredGlm130b, KeepsTheRowsOfEachHeadTogether) {
  const ModelConfig config = tiny_glm_130b();
  const ParameterTable table = make_parameter_table(config);
  const ParameterStore store = make_parameter_store(config, table);
  const std::vector<float> flat = distinct(config);
  const std::int64_t width = config.hidden_size, heads = config.num_attention_heads,
                     size = config.head_size();
  for (const TensorToWrite& tensor : parameters_to_write(store, flat)) {
    const bool weight = tensor.name == "transformer.layers.1.attention.query_key_value.weight";
    if (!weight && tensor.name != "transformer.layers.1.attention.query_key_value.bias") continue;
    const std::int64_t columns = weight ? width : 1;
    const auto index = table.find(weight ? "layer.1.attention.qkv.weight" : "layer.1.attention.qkv.bias");
    const float* ours = flat.data() + table.parameters[static_cast<std::size_t>(index)].offset;
    std::vector<float> whole(static_cast<std::size_t>(3 * width * columns));
    tensor.fill(0, whole);
    for (std::int64_t row = 0; row < 3 * width; ++row) {
      const std::int64_t head = row / (3 * size), part = row / size % 3, d = row % size;
      for (std::int64_t column = 0; column < columns; ++column) {
        ASSERT_EQ(whole[static_cast<std::size_t>(row * columns + column)],
                  ours[((part * heads + head) * size + d) * columns + column])
            << row << " " << column;
      }
    }
    for (std::int64_t begin = 0; begin < 3 * width * columns; begin += 101) {
      std::vector<float> piece(
          static_cast<std::size_t>(std::min<std::int64_t>(101, 3 * width * columns - begin)));
      tensor.fill(begin, piece);
      ASSERT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + begin)) << begin;
    }
  }
}

}  // namespace
}  // namespace surprisal
