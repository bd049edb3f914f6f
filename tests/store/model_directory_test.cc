#include "store/model_directory.h"

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "model/family.h"
#include "store/adapted_model.h"
#include "store/safetensors.h"
#include "store/widen.h"
#include "tests/core/error_matchers.h"
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
    ModelOptions options = tiny_options(GetParam());
    if (grouped()) options.num_key_value_heads = 1;
    ModelConfig config = find_family(GetParam(), "").from_options(options, 211, 17);
    config.bos_token_id = 3;
    config.pad_token_id = 4;
    return config;
  }
  static bool grouped() { return std::string("llama qwen2").find(GetParam()) != std::string::npos; }
  std::string load_error(ErrorKind kind) {
    return error_of([&] { load_weights(directory_.path(), model_); }, kind);
  }

  TemporaryDirectory directory_;
  Transformer model_;
};
INSTANTIATE_TEST_SUITE_P(Families, ModelDirectory,
                         testing::Values("bert", "roberta", "gpt2", "llama", "qwen2"));

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

TEST_P(ModelDirectory, IsRoundedToBf16WhereThatIsAskedFor) {
  save_model(directory_.path(), model_, nullptr, Dtype::bf16);
  const Json config = parse_json(read_file(directory_.path() / "config.json"), "config.json");
  EXPECT_EQ(config.at("dtype"), "bfloat16");
  Transformer again(read_model_config(directory_.path()), Mode::evaluate, kSmall);
  load_weights(directory_.path(), again);
  for (const Parameter& parameter : model_.table().parameters) {
    for (std::int64_t i = parameter.offset; i < parameter.offset + parameter.shape.elements(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      ASSERT_EQ(again.weights()[at], widen_bf16(round_to_bf16(model_.weights()[at]))) << parameter.name;
    }
  }
  save_model(directory_.path(), model_, nullptr);
  EXPECT_EQ(parse_json(read_file(directory_.path() / "config.json"), "").at("dtype"), "float32");
}

// `transformers` would warn of a bias that an untied decoder leaves unused.
TEST_P(ModelDirectory, HoldsEveryTensorOfAnUntiedHead) {
  ModelConfig config = tiny_config();
  config.tie_word_embeddings = false;
  Transformer model(config, Mode::evaluate, kSmall);
  model.initialise(1);
  save_model(directory_.path(), model, nullptr);
  const SafetensorsFile file(directory_.path() / "model.safetensors");
  const std::string head = config.family == "bert" ? "cls.predictions." : "lm_head.";
  const bool decoder = find_family(config.family, "").decoder;
  for (const char* name : {"bias", "decoder.bias", "decoder.weight"}) {
    EXPECT_EQ(file.find(head + name) != nullptr, !decoder) << name;
  }
  EXPECT_EQ(file.find("lm_head.weight") != nullptr, decoder);
  Transformer again(read_model_config(directory_.path()), Mode::evaluate, kSmall);
  load_weights(directory_.path(), again);
  EXPECT_EQ(std::memcmp(again.weights().data(), model.weights().data(), model.weights().size_bytes()), 0);
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
  write_safetensors(directory_.path() / "gradients.safetensors",
                    AdaptedModel(directory_.path()).gradients(model_));
  const SafetensorsFile weights(directory_.path() / "model.safetensors");
  const SafetensorsFile gradients(directory_.path() / "gradients.safetensors");
  ASSERT_EQ(gradients.tensors().size(), weights.tensors().size());
  for (std::size_t i = 0; i < weights.tensors().size(); ++i) {
    EXPECT_EQ(gradients.tensors()[i].name, weights.tensors()[i].name);
    EXPECT_EQ(gradients.tensors()[i].shape, weights.tensors()[i].shape);
  }
  const std::string family = GetParam();
  const StoredTensor& token = *gradients.find(family == "gpt2" ? "transformer.wte.weight"
                                              : grouped()      ? "model.embed_tokens.weight"
                                                          : family + ".embeddings.word_embeddings.weight");
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
}

// BERT's first configurations have no model_type.
TEST_P(ModelDirectory, TakesAConfigurationOlderThanModelType) {
  save_model(directory_.path(), model_, nullptr);
  const auto path = directory_.path() / "config.json";
  Json json = parse_json(read_file(path), "test");
  json.erase("model_type");
  write_bytes(path, json.dump());
  const std::string family = GetParam();
  const bool by_class = family == "bert" || family == "roberta" || family == "gpt2";
  if (by_class) {
    EXPECT_EQ(read_model_config(directory_.path()).family, family);
  } else {
    EXPECT_THROW(read_model_config(directory_.path()), Error);
  }
  json.erase("architectures");
  write_bytes(path, json.dump());
  if (by_class && family != "gpt2") {
    EXPECT_EQ(read_model_config(directory_.path()).family, family);
  } else {
    EXPECT_THROW(read_model_config(directory_.path()), Error);
  }
}

TEST_P(ModelDirectory, NamesTheFileOfABadConfiguration) {
  const auto path = directory_.path() / "config.json";
  auto refusal = [&](const char* text) {
    write_bytes(path, text);
    std::string message = error_of([&] { read_model_config(directory_.path()); }, ErrorKind::data);
    EXPECT_THAT(message, HasSubstr(path.string()));
    return message;
  };
  EXPECT_THAT(refusal(""), HasSubstr("invalid JSON"));
  EXPECT_THAT(refusal("{"), HasSubstr("invalid JSON"));
  EXPECT_THAT(refusal("{}"), HasSubstr("key model_type is missing"));
  EXPECT_THAT(refusal(R"({"model_type":"mamba"})"), HasSubstr("unknown model family: found \"mamba\""));
  EXPECT_THAT(refusal(R"({"model_type":"bert","model_type":"gpt2"})"), HasSubstr("duplicate key"));
}

// What save_pretrained of a body, of a body with another head, or of one without pooler leaves behind.
class Heads : public testing::Test {
 protected:
  Heads() : model_(tiny_bert(), Mode::evaluate, kSmall) {
    model_.initialise(1);
    save_model(directory_.path(), model_, nullptr);
  }
  // Rewrites the weights without tensors of these beginnings, and with a head for another task.
  void rewrite(const std::vector<std::string>& without, bool classifier) const {
    const ParameterStore store = make_parameter_store(model_.config(), model_.table());
    std::vector<TensorToWrite> tensors = parameters_to_write(store, model_.weights());
    std::erase_if(tensors, [&](const TensorToWrite& tensor) {
      return std::ranges::any_of(without, [&](const std::string& s) { return tensor.name.starts_with(s); });
    });
    if (classifier) {
      tensors.push_back({"classifier.weight", {3, 36}, [](std::int64_t, std::span<float> o) {
                           std::ranges::fill(o, 1.0f);
                         }});
    }
    write_safetensors(directory_.path() / "model.safetensors", tensors);
  }
  Transformer built() const { return {read_model_config(directory_.path()), Mode::evaluate, kSmall}; }

  TemporaryDirectory directory_;
  Transformer model_;
};

TEST_F(Heads, ThatAreOptionalMayBeAbsent) {
  rewrite({"cls.seq_relationship", "bert.pooler"}, false);
  Transformer model = built();
  EXPECT_FALSE(model.config().pooler);
  EXPECT_EQ(model.config().classes, 0);
  EXPECT_NO_THROW(load_weights(directory_.path(), model));
  Stream stream;
  stream.token = {1, 2, 3};
  stream.position = {0, 1, 2};
  stream.block_position = stream.segment = {0, 0, 0};
  stream.visible.assign(3, {0, 3});
  stream.target = {{1, 5, 1.0f}};
  stream.sequence = {{.begin = 0, .end = 3}};
  StreamResult without, with;
  model.evaluate(stream, without);
  model_.evaluate(stream, with);
  EXPECT_EQ(without.token.surprisal, with.token.surprisal);
}

TEST_F(Heads, OfThePoolerAloneAreKept) {
  rewrite({"cls.seq_relationship"}, false);
  Transformer model = built();
  EXPECT_TRUE(model.config().pooler);
  EXPECT_EQ(model.config().classes, 0);
  EXPECT_NO_THROW(load_weights(directory_.path(), model));
}

TEST_F(Heads, OfOtherTasksAndMissingOnesAreNamedWithAWayOut) {
  rewrite({"cls."}, true);
  Transformer model = built();
  EXPECT_THAT(error_of([&] { load_weights(directory_.path(), model); }, ErrorKind::data),
              AllOf(HasSubstr("cls.predictions.bias is missing, expected [211]"),
                    HasSubstr("\"classifier.weight\" is not expected, found [3, 36]"),
                    HasSubstr("model.new_heads = true draws the missing heads anew and leaves out")));
}

TEST_F(Heads, AreDrawnAnewAndSaid) {
  rewrite({"cls."}, true);
  Transformer model = built();
  std::ranges::fill(model.weights(), -1.0f);
  const HeadsOfOthers heads = load_weights(directory_.path(), model, {.new_heads = true, .seed = 7});
  EXPECT_THAT(heads.left_out, testing::ElementsAre("classifier.weight"));
  EXPECT_THAT(heads.missing, testing::UnorderedElementsAre("cls.predictions.bias",
                                                           "cls.predictions.transform.LayerNorm.bias",
                                                           "cls.predictions.transform.LayerNorm.weight",
                                                           "cls.predictions.transform.dense.bias",
                                                           "cls.predictions.transform.dense.weight"));
  Transformer drawn(model.config(), Mode::evaluate, kSmall);
  drawn.initialise(7);
  for (std::size_t i = 0; i < model.table().parameters.size(); ++i) {
    const std::string& name = model.table().parameters[i].name;
    const Tensor found = model.weight(static_cast<int>(i));
    const Tensor stored = model_.weight(model_.table().find(name));
    const Tensor right = name.starts_with("head.") ? drawn.weight(static_cast<int>(i)) : stored;
    EXPECT_EQ(std::memcmp(found.data, right.data, found.bytes()), 0) << name;
  }
}

TEST_F(Heads, NeverExcuseAMissingBody) {
  rewrite({"bert.encoder.layer.1.output.dense"}, true);
  Transformer model = built();
  const std::string message =
      error_of([&] { load_weights(directory_.path(), model, {.new_heads = true}); }, ErrorKind::data);
  EXPECT_THAT(message, AllOf(HasSubstr("bert.encoder.layer.1.output.dense.weight is missing"),
                             testing::Not(HasSubstr("new_heads"))));
}

TEST_F(Heads, OfAnotherSizeAreAnError) {
  rewrite({}, false);
  ModelConfig config = read_model_config(directory_.path());
  config.classes = 3;
  Transformer model(config, Mode::evaluate, kSmall);
  EXPECT_THAT(error_of([&] { load_weights(directory_.path(), model, {.new_heads = true}); }, ErrorKind::data),
              HasSubstr("cls.seq_relationship.weight has a wrong shape, found [2, 36], expected [3, 36]"));
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
