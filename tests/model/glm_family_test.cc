#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/error_matchers.h"
#include "tests/model/configurations.h"
#include "tests/model/tiny_models.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Glm, IsReadAsPublished) {
  const ModelConfig config = read(Json::parse(kHubGlmLargeChinese));
  EXPECT_EQ(config.vocab_size, 50048);
  EXPECT_EQ(config.hidden_size, 1024);
  EXPECT_EQ(config.intermediate_size, 4096);
  EXPECT_EQ(config.num_hidden_layers, 24);
  EXPECT_EQ(config.num_attention_heads, 16);
  EXPECT_EQ(config.max_position_embeddings, 1024);
  EXPECT_EQ(config.position_rows(), 1025);
  EXPECT_EQ(config.block_positions, 1025);
  EXPECT_EQ(config.attention_dropout, 0.2);
  EXPECT_EQ(config.embedding_dropout, 0.3);
  EXPECT_EQ(config.hidden_dropout, 0.4);
  EXPECT_EQ(config.initializer_range, 0.03);
  EXPECT_EQ(config.activation, Activation::gelu_tanh);
  EXPECT_EQ(config.layer_norm_eps, 1e-5);
  EXPECT_EQ(config.norm, NormPlacement::pre);
  EXPECT_TRUE(config.final_norm && config.scaled_residual_init && config.tie_word_embeddings);
  EXPECT_EQ(make_parameter_table(config).count, 355'659'776);  // 355.7 M, as its authors count
}

TEST(Glm, HasOnePositionTableWithoutBlocks) {
  const ModelConfig config = read(with(kHubGlmLargeChinese, "block_position_encoding", false));
  EXPECT_EQ(config.position_rows(), 1024);
  EXPECT_EQ(config.block_positions, 0);
  EXPECT_EQ(find_family("glm", "").write_config(config)["block_position_encoding"], false);
}

TEST(Glm, OfTheLaterFamilyIsRefusedByName) {
  Json later = without(kHubGlmLargeChinese, "num_layers");
  later["num_hidden_layers"] = 40;
  EXPECT_THAT(refusal(later), AllOf(HasSubstr("the later family that `transformers` calls \"glm\""),
                                    HasSubstr("found num_hidden_layers"), HasSubstr("num_layers")));
  EXPECT_THAT(refusal(with(kHubGlmLargeChinese, "rms_norm_eps", 1e-5)), HasSubstr("found rms_norm_eps"));
}

TEST(Glm130b, IsReadAsPublished) {
  const ModelConfig config = read(Json::parse(kGlm130b));
  EXPECT_EQ(config.num_hidden_layers, 70);
  EXPECT_EQ(config.head_size(), 128);
  EXPECT_EQ(config.intermediate_size, 32768);
  EXPECT_EQ(config.up_size(), 65536);
  EXPECT_EQ(config.layer_norm_eps, 1e-6);
  EXPECT_EQ(config.embedding_gradient_shrink, 0.2);
  EXPECT_DOUBLE_EQ(config.residual_scale, 11.832159566199232);  // the root of 140
  EXPECT_EQ(config.positions, PositionKind::rotary);
  EXPECT_EQ(config.rotary_base, 10000);
  EXPECT_EQ(config.norm, NormPlacement::post);
  EXPECT_TRUE(config.gated && config.embedding_norm && config.embedding_dropout_first);
  EXPECT_FALSE(config.final_norm);
  EXPECT_EQ(config.activation, Activation::gelu);
  EXPECT_EQ(make_parameter_table(config).count, 128'697'794'560);  // 128.70 billion
  EXPECT_EQ(read(without(kGlm130b, "embedding_gradient_shrink")).embedding_gradient_shrink, 0.1);
  EXPECT_EQ(read(without(kGlm130b, "layernorm_epsilon")).layer_norm_eps, 1e-5);
}

TEST(Glm130b, TurnsPairsAlone) {
  EXPECT_THAT(refusal(with(kGlm130b, "num_attention_heads", 4096)),
              HasSubstr("the size of a head is odd: found 3"));
}

// Xavier's deviation, times the inverse root of 140 on what DeepNorm scales (Zeng et al. 2023, section 2.1).
TEST(Glm130b, StartsAsPublished) {
  const ParameterTable table = make_parameter_table(read(Json::parse(kGlm130b)));
  const auto of = [&](const char* name) {
    return table.parameters[static_cast<std::size_t>(table.find(name))];
  };
  const double beta = 1 / std::sqrt(140.0), square = std::sqrt(2.0 / (2 * 12288)),
               wide = std::sqrt(2.0 / (12288 + 32768));
  EXPECT_NEAR(of("embedding.token.weight").range, 0.0035, 1e-5);
  EXPECT_DOUBLE_EQ(of("layer.3.attention.qkv.weight").range, square);
  EXPECT_EQ(of("layer.3.attention.qkv.weight").last_rows, 12288);
  EXPECT_DOUBLE_EQ(of("layer.3.attention.qkv.weight").last_range, beta * square);
  EXPECT_DOUBLE_EQ(of("layer.3.attention.output.weight").range, beta * square);
  EXPECT_DOUBLE_EQ(of("layer.3.feed_forward.up.weight").range, beta * wide);
  EXPECT_DOUBLE_EQ(of("layer.3.feed_forward.down.weight").range, beta * wide);
}

TEST(Glm, NewOnesAreAsPublished) {
  const ModelConfig glm = tiny_glm(), big = tiny_glm_130b();
  EXPECT_EQ(glm.intermediate_size, 144);
  EXPECT_EQ(glm.position_rows(), 18);
  EXPECT_EQ(glm.block_positions, 18);
  EXPECT_EQ(glm.embedding_gradient_shrink, 1);
  EXPECT_EQ(big.residual_scale, 2);
  EXPECT_EQ(big.embedding_gradient_shrink, 0.1);
  ModelOptions options = tiny_options("glm-130b");
  options.intermediate_size = 0;
  options.hidden_size = 12288;
  options.num_attention_heads = 96;
  options.embedding_gradient_shrink = 0.5;
  const ModelConfig wide = find_family("glm-130b", "").from_options(options, 211, 17);
  EXPECT_EQ(wide.intermediate_size, 32768);
  EXPECT_EQ(wide.embedding_gradient_shrink, 0.5);
}

std::string refused_options(const char* family, const std::function<void(ModelOptions&)>& change) {
  ModelOptions options = tiny_options(family);
  options.intermediate_size = 0;
  change(options);
  return error_of([&] { find_family(family, "").from_options(options, 211, 17); }, ErrorKind::usage);
}

TEST(Glm, NewOnesRefuseWhatTheirConfigurationCannotSay) {
  EXPECT_EQ(
      refused_options("glm", [](ModelOptions& options) { options.intermediate_size = 50; }),
      "model.intermediate_size: a model of family glm has one intermediate_size: found 50, expected 144");
  EXPECT_THAT(refused_options("glm", [](ModelOptions& options) { options.hidden_act = "relu"; }),
              HasSubstr("found relu, expected gelu_new"));
  EXPECT_THAT(refused_options("glm", [](ModelOptions& options) { options.layer_norm_eps = 1e-6; }),
              HasSubstr("model.layer_norm_eps"));
  EXPECT_THAT(refused_options("glm", [](ModelOptions& options) { options.embedding_gradient_shrink = 0.1; }),
              HasSubstr("model.embedding_gradient_shrink"));
  EXPECT_THAT(refused_options("glm-130b", [](ModelOptions& options) { options.hidden_act = "silu"; }),
              HasSubstr("found silu, expected gelu"));
  for (const char* family : {"glm", "glm-130b"}) {
    EXPECT_THAT(refused_options(family, [](ModelOptions& options) { options.tie_word_embeddings = false; }),
                HasSubstr("model.tie_word_embeddings"));
  }
}

}  // namespace
}  // namespace surprisal
