#include "store/model_directory.h"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "model/family.h"
#include "store/safetensors.h"
#include "tests/model/tiny_models.h"
#include "tests/store/safetensors_bytes.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr Capacity kSmall{.tokens = 17, .targets = 17, .labels = 1};

class ModelDirectory : public testing::TestWithParam<const char*> {
 protected:
  ModelDirectory() : model_(tiny_config(), Mode::train, kSmall) { model_.initialise(1); }

  static ModelConfig tiny_config() {
    ModelConfig config = find_family(GetParam(), "").from_options(tiny_options(GetParam()), 211, 17);
    config.bos_token_id = 3;
    config.pad_token_id = 4;
    return config;
  }
  std::string load_error(ErrorKind kind) {
    return error_of([&] { load_weights(directory_.path(), model_); }, kind);
  }

  TemporaryDirectory directory_;
  Transformer model_;
};
INSTANTIATE_TEST_SUITE_P(Families, ModelDirectory, testing::Values("bert", "gpt2"));

TEST_P(ModelDirectory, ComesBackBitForBit) {
  save_model(directory_.path(), model_, nullptr);
  const ModelConfig config = read_model_config(directory_.path());
  EXPECT_EQ(config.family, GetParam());
  EXPECT_EQ(config.bos_token_id, 3);
  EXPECT_EQ(config.eos_token_id, -1);
  EXPECT_EQ(config.pad_token_id, 4);
  Transformer again(config, Mode::evaluate, kSmall);
  load_weights(directory_.path(), again);
  ASSERT_EQ(again.table().size, model_.table().size);
  for (std::size_t i = 0; i < model_.table().parameters.size(); ++i) {
    const Tensor a = model_.weight(static_cast<int>(i)), b = again.weight(static_cast<int>(i));
    EXPECT_EQ(std::memcmp(a.data, b.data, a.bytes()), 0) << model_.table().parameters[i].name;
  }
}

TEST_P(ModelDirectory, StoresTiedWeightsOnce) {
  save_model(directory_.path(), model_, nullptr);
  const SafetensorsFile file(directory_.path() / "model.safetensors");
  std::int64_t elements = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    EXPECT_EQ(tensor.dtype, "F32");
    elements += tensor.elements();
  }
  EXPECT_EQ(elements, model_.table().count);
  EXPECT_EQ(file.metadata().at("format"), "pt");
}

TEST_P(ModelDirectory, SavesGradientsUnderTheNamesOfTheWeights) {
  for (std::size_t i = 0; i < model_.gradients().size(); ++i) model_.gradients()[i] = static_cast<float>(i);
  save_model(directory_.path(), model_, nullptr);
  save_gradients(directory_.path() / "gradients.safetensors", model_);
  const SafetensorsFile weights(directory_.path() / "model.safetensors");
  const SafetensorsFile gradients(directory_.path() / "gradients.safetensors");
  ASSERT_EQ(gradients.tensors().size(), weights.tensors().size());
  for (std::size_t i = 0; i < weights.tensors().size(); ++i) {
    EXPECT_EQ(gradients.tensors()[i].name, weights.tensors()[i].name);
    EXPECT_EQ(gradients.tensors()[i].shape, weights.tensors()[i].shape);
  }
  const bool bert = std::string(GetParam()) == "bert";
  const StoredTensor& token =
      *gradients.find(bert ? "bert.embeddings.word_embeddings.weight" : "transformer.wte.weight");
  EXPECT_EQ(std::memcmp(token.bytes.data(), model_.gradients().data(), token.bytes.size()), 0);
}

TEST_P(ModelDirectory, NamesWhatIsMissing) {
  EXPECT_THAT(error_of([&] { read_model_config(directory_.path()); }, ErrorKind::io),
              HasSubstr("config.json"));
  EXPECT_THAT(error_of([&] { read_model_config(directory_.path() / "none"); }, ErrorKind::io),
              HasSubstr("none: no such directory: expected a model directory"));
  write_bytes(directory_.path() / "file", "x");
  EXPECT_THAT(error_of([&] { read_model_config(directory_.path() / "file"); }, ErrorKind::io),
              HasSubstr("file: not a directory"));
  EXPECT_THAT(load_error(ErrorKind::io), HasSubstr("model.safetensors is missing"));
}

TEST_P(ModelDirectory, SaysHowToConvertOtherWeights) {
  write_bytes(directory_.path() / "pytorch_model.bin", "x");
  EXPECT_THAT(
      load_error(ErrorKind::io),
      AllOf(HasSubstr("pickle"), HasSubstr(find_family(GetParam(), "").architecture + ".from_pretrained")));
  write_bytes(directory_.path() / "model.safetensors.index.json", "{}");
  EXPECT_THAT(load_error(ErrorKind::io), AllOf(HasSubstr("several files"), HasSubstr("max_shard_size")));
}

TEST_P(ModelDirectory, NamesTheFileOfABadConfiguration) {
  const auto path = directory_.path() / "config.json";
  auto refusal = [&](const char* text) {
    write_bytes(path, text);
    const std::string message = error_of([&] { read_model_config(directory_.path()); }, ErrorKind::data);
    EXPECT_THAT(message, HasSubstr(path.string()));
    return message;
  };
  EXPECT_THAT(refusal(""), HasSubstr("invalid JSON"));
  EXPECT_THAT(refusal("{"), HasSubstr("invalid JSON"));
  EXPECT_THAT(refusal("{}"), HasSubstr("key model_type is missing"));
  EXPECT_THAT(refusal(R"({"model_type":"llama"})"), HasSubstr("unknown model family: found \"llama\""));
  EXPECT_THAT(refusal(R"({"model_type":"bert","model_type":"gpt2"})"), HasSubstr("duplicate key"));
}

TEST_P(ModelDirectory, RefusesWeightsOfAnotherSize) {
  save_model(directory_.path(), model_, nullptr);
  ModelConfig wider = tiny_config();
  wider.vocab_size = 212;
  Transformer other(wider, Mode::evaluate, kSmall);
  EXPECT_THAT(error_of([&] { load_weights(directory_.path(), other); }, ErrorKind::data),
              AllOf(HasSubstr("found [211, 36], expected [212, 36]"), HasSubstr("model.safetensors")));
}

}  // namespace
}  // namespace surprisal
