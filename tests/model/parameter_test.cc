#include "model/parameter.h"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/model/tiny_models.h"

namespace surprisal {
namespace {

std::vector<std::string> names(const ParameterTable& table) {
  std::vector<std::string> result;
  for (const Parameter& parameter : table.parameters) result.push_back(parameter.name);
  return result;
}

const Parameter& parameter(const ParameterTable& table, std::string_view name) {
  return table.parameters.at(static_cast<std::size_t>(table.find(name)));
}

TEST(ParameterTable, FollowsTheForwardPassOfBert) {
  ModelConfig config = tiny_bert();
  config.num_hidden_layers = 1;
  EXPECT_THAT(
      names(make_parameter_table(config)),
      testing::ElementsAre("embedding.token.weight", "embedding.position.weight", "embedding.segment.weight",
                           "embedding.norm.weight", "embedding.norm.bias", "layer.0.attention.qkv.weight",
                           "layer.0.attention.qkv.bias", "layer.0.attention.output.weight",
                           "layer.0.attention.output.bias", "layer.0.attention.norm.weight",
                           "layer.0.attention.norm.bias", "layer.0.feed_forward.up.weight",
                           "layer.0.feed_forward.up.bias", "layer.0.feed_forward.down.weight",
                           "layer.0.feed_forward.down.bias", "layer.0.feed_forward.norm.weight",
                           "layer.0.feed_forward.norm.bias", "head.transform.weight", "head.transform.bias",
                           "head.norm.weight", "head.norm.bias", "head.bias", "pooler.weight", "pooler.bias",
                           "sentence_head.weight", "sentence_head.bias"));
}

TEST(ParameterTable, FollowsTheForwardPassOfGpt2) {
  ModelConfig config = tiny_gpt2();
  config.num_hidden_layers = 1;
  EXPECT_THAT(names(make_parameter_table(config)),
              testing::ElementsAre("embedding.token.weight", "embedding.position.weight",
                                   "layer.0.attention.norm.weight", "layer.0.attention.norm.bias",
                                   "layer.0.attention.qkv.weight", "layer.0.attention.qkv.bias",
                                   "layer.0.attention.output.weight", "layer.0.attention.output.bias",
                                   "layer.0.feed_forward.norm.weight", "layer.0.feed_forward.norm.bias",
                                   "layer.0.feed_forward.up.weight", "layer.0.feed_forward.up.bias",
                                   "layer.0.feed_forward.down.weight", "layer.0.feed_forward.down.bias",
                                   "final_norm.weight", "final_norm.bias"));
}

TEST(ParameterTable, HasTheShapesOfTheConfiguration) {
  const ParameterTable table = make_parameter_table(tiny_bert());
  EXPECT_EQ(parameter(table, "embedding.token.weight").shape, (Shape{211, 36}));
  EXPECT_EQ(parameter(table, "embedding.position.weight").shape, (Shape{17, 36}));
  EXPECT_EQ(parameter(table, "embedding.segment.weight").shape, (Shape{2, 36}));
  EXPECT_EQ(parameter(table, "layer.1.attention.qkv.weight").shape, (Shape{108, 36}));
  EXPECT_EQ(parameter(table, "layer.1.attention.qkv.bias").shape, (Shape{108}));
  EXPECT_EQ(parameter(table, "layer.1.attention.output.weight").shape, (Shape{36, 36}));
  EXPECT_EQ(parameter(table, "layer.1.feed_forward.up.weight").shape, (Shape{50, 36}));
  EXPECT_EQ(parameter(table, "layer.1.feed_forward.down.weight").shape, (Shape{36, 50}));
  EXPECT_EQ(parameter(table, "head.bias").shape, (Shape{211}));
  EXPECT_EQ(parameter(table, "sentence_head.weight").shape, (Shape{2, 36}));
}

// The numbers that `transformers` gives for the published sizes (model.num_parameters()).
TEST(ParameterTable, CountsThePublishedModels) {
  ModelConfig gpt2 = tiny_gpt2();
  gpt2.vocab_size = 50257, gpt2.hidden_size = 768, gpt2.intermediate_size = 3072;
  gpt2.num_hidden_layers = gpt2.num_attention_heads = 12, gpt2.max_position_embeddings = 1024;
  EXPECT_EQ(make_parameter_table(gpt2).count, 124'439'808);

  ModelConfig bert = tiny_bert();
  bert.vocab_size = 30522, bert.hidden_size = 768, bert.intermediate_size = 3072;
  bert.num_hidden_layers = bert.num_attention_heads = 12, bert.max_position_embeddings = 512;
  EXPECT_EQ(make_parameter_table(bert).count, 110'106'428);
}

TEST(ParameterTable, LaysParametersOutAlignedWithoutOverlap) {
  for (const ModelConfig& config : {tiny_bert(), tiny_gpt2()}) {
    const ParameterTable table = make_parameter_table(config);
    std::int64_t end = 0, count = 0;
    for (const Parameter& parameter : table.parameters) {
      EXPECT_EQ(parameter.offset % 16, 0) << parameter.name;
      EXPECT_GE(parameter.offset, end) << parameter.name;
      EXPECT_LT(parameter.offset, end + 16) << parameter.name;
      end = parameter.offset + parameter.shape.elements();
      count += parameter.shape.elements();
    }
    EXPECT_EQ(table.count, count);
    EXPECT_EQ(table.size % 16, 0);
    EXPECT_GE(table.size, end);
    EXPECT_LT(table.size, end + 16);
  }
}

TEST(ParameterTable, DecaysAllButBiasesAndNorms) {
  for (const ModelConfig& config : {tiny_bert(), tiny_gpt2()}) {
    for (const Parameter& parameter : make_parameter_table(config).parameters) {
      const bool weight = parameter.name.ends_with(".weight"),
                 norm = parameter.name.find("norm") != std::string::npos;
      EXPECT_EQ(parameter.decay, weight && !norm) << parameter.name;
      EXPECT_EQ(parameter.initial, !weight ? Initial::zero
                                   : norm  ? Initial::one
                                           : Initial::normal)
          << parameter.name;
    }
  }
}

TEST(ParameterTable, ScalesResidualProjectionsOfGpt2Only) {
  const ParameterTable gpt2 = make_parameter_table(tiny_gpt2()), bert = make_parameter_table(tiny_bert());
  for (const char* name : {"layer.0.attention.output.weight", "layer.1.feed_forward.down.weight"}) {
    EXPECT_DOUBLE_EQ(parameter(gpt2, name).range, 0.02 / 2) << name;  // sqrt(2 * 2 layers)
    EXPECT_DOUBLE_EQ(parameter(bert, name).range, 0.02) << name;
  }
  EXPECT_DOUBLE_EQ(parameter(gpt2, "layer.0.feed_forward.up.weight").range, 0.02);
  EXPECT_DOUBLE_EQ(parameter(gpt2, "embedding.token.weight").range, 0.02);
}

TEST(ParameterTable, LeavesOutWhatTheConfigurationLacks) {
  ModelConfig config = tiny_bert();
  config.pooler = false;
  config.classes = 0;
  for (const std::string& name : names(make_parameter_table(config))) {
    EXPECT_THAT(name,
                testing::Not(testing::AnyOf(testing::StartsWith("pooler"), testing::StartsWith("sentence"))));
  }
}

}  // namespace
}  // namespace surprisal
