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

TEST(Llama, IsReadAsPublished) {
  const ModelConfig config = read(Json::parse(kHubLlama31));
  EXPECT_EQ(config.vocab_size, 128256);
  EXPECT_EQ(config.hidden_size, 4096);
  EXPECT_EQ(config.intermediate_size, 14336);
  EXPECT_EQ(config.up_size(), 2 * 14336);
  EXPECT_EQ(config.num_hidden_layers, 32);
  EXPECT_EQ(config.num_attention_heads, 32);
  EXPECT_EQ(config.key_heads(), 8);
  EXPECT_EQ(config.head_size(), 128);
  EXPECT_EQ(config.qkv_size(), 4096 + 2 * 1024);
  EXPECT_EQ(config.max_position_embeddings, 131072);
  EXPECT_EQ(config.layer_norm_eps, 1e-5);
  EXPECT_EQ(config.rotary_base, 500000);
  EXPECT_EQ(config.rotary_scaling, (RotaryScaling{.kind = RotaryScalingKind::llama3,
                                                  .factor = 8,
                                                  .original_positions = 8192,
                                                  .low_frequency_factor = 1,
                                                  .high_frequency_factor = 4}));
  EXPECT_EQ(config.activation, Activation::silu);
  EXPECT_EQ(config.norm, NormPlacement::pre);
  EXPECT_EQ(config.norm_kind, NormKind::rms);
  EXPECT_EQ(config.positions, PositionKind::rotary);
  EXPECT_TRUE(config.gated && config.final_norm);
  EXPECT_FALSE(config.tie_word_embeddings || config.qkv_bias || config.attention_output_bias ||
               config.feed_forward_bias || config.scaled_residual_init);
  EXPECT_EQ(config.hidden_dropout, 0);
  EXPECT_EQ(config.embedding_dropout, 0);
  EXPECT_EQ(config.bos_token_id, 128000);
  EXPECT_EQ(config.eos_token_id, 128001);
  EXPECT_EQ(config.pad_token_id, -1);
}

// model.num_parameters() of `transformers` for the same sizes.
TEST(Llama, CountsThePublishedModels) {
  EXPECT_EQ(make_parameter_table(read(Json::parse(kHubLlama31))).count, 8'030'261'248);
  EXPECT_EQ(make_parameter_table(read(Json::parse(kHubLlama2))).count, 6'738'415'616);
  EXPECT_EQ(make_parameter_table(read(Json::parse(kHubQwen25))).count, 494'032'768);
}

TEST(Llama, UsesTheDefaultsOfTransformersForAbsentKeys) {
  Json json = Json::parse(kHubLlama31);
  for (const char* key : {"num_key_value_heads", "hidden_act", "rms_norm_eps", "initializer_range",
                          "rope_theta", "rope_scaling", "bos_token_id", "eos_token_id", "tie_word_embeddings",
                          "attention_bias", "mlp_bias", "attention_dropout"}) {
    json.erase(key);
  }
  const ModelConfig config = read(json);
  EXPECT_EQ(config.key_heads(), 32);
  EXPECT_EQ(config.activation, Activation::silu);
  EXPECT_EQ(config.layer_norm_eps, 1e-6);
  EXPECT_EQ(config.rotary_base, 10000);
  EXPECT_EQ(config.rotary_scaling, RotaryScaling());
  EXPECT_EQ(config.bos_token_id, 1);
  EXPECT_EQ(config.eos_token_id, 2);
  EXPECT_FALSE(config.tie_word_embeddings || config.qkv_bias || config.feed_forward_bias);
  EXPECT_EQ(config.attention_dropout, 0);
}

TEST(Llama, HonoursEveryOtherKey) {
  Json json = with(kHubLlama31, "attention_bias", true);
  json["mlp_bias"] = true;
  json["head_dim"] = 96;
  json["attention_dropout"] = 0.25;
  json["hidden_act"] = "gelu";
  json["tie_word_embeddings"] = true;
  json["initializer_range"] = 0.05;
  const ModelConfig config = read(json);
  EXPECT_TRUE(config.qkv_bias && config.attention_output_bias && config.feed_forward_bias);
  EXPECT_EQ(config.head_size(), 96);
  EXPECT_EQ(config.query_size(), 3072);
  EXPECT_EQ(config.attention_dropout, 0.25);
  EXPECT_EQ(config.activation, Activation::gelu);
  EXPECT_TRUE(config.tie_word_embeddings);
  EXPECT_EQ(config.initializer_range, 0.05);
  const OrderedJson written = find_family("llama", "").write_config(config);
  for (const char* key : {"attention_bias", "mlp_bias", "head_dim", "attention_dropout", "hidden_act",
                          "tie_word_embeddings", "initializer_range"}) {
    EXPECT_EQ(Json(written[key]), json[key]) << key;
  }
}

TEST(Llama, WritesRopeParametersAsTransformersDoesToday) {
  const OrderedJson written = find_family("llama", "").write_config(read(Json::parse(kHubLlama31)));
  EXPECT_FALSE(written.contains("rope_theta") || written.contains("rope_scaling"));
  EXPECT_EQ(written["rope_parameters"].dump(),
            R"({"factor":8.0,"high_freq_factor":4.0,"low_freq_factor":1.0,)"
            R"("original_max_position_embeddings":8192,"rope_theta":500000.0,"rope_type":"llama3"})");
}

TEST(Llama, NamesWhatIsWrongWithItsPositions) {
  const auto scaled = [](Json scaling) {
    return refusal(with(kHubLlama2, "rope_scaling", std::move(scaling)));
  };
  EXPECT_EQ(scaled({{"rope_type", "longrope"}, {"factor", 2.0}}),
            "config.json, rope_scaling: rope_type is not supported: found \"longrope\", expected one of "
            "default, linear, dynamic, yarn, llama3");
  EXPECT_THAT(scaled({{"type", "linear"}}), AllOf(HasSubstr("factor"), HasSubstr("missing")));
  EXPECT_THAT(scaled({{"type", "linear"}, {"factor", 0.5}}), HasSubstr("factor"));
  EXPECT_THAT(scaled({{"type", "linear"}, {"factor", 2}, {"beta_fast", 4}}), HasSubstr("\"beta_fast\""));
  EXPECT_THAT(scaled({{"rope_type", "yarn"}}), AllOf(HasSubstr("factor"), HasSubstr("missing")));
  EXPECT_THAT(scaled({{"rope_type", "llama3"}, {"factor", 2}}), HasSubstr("low_freq_factor"));
  EXPECT_THAT(
      scaled({{"rope_type", "llama3"}, {"factor", 2}, {"low_freq_factor", 4}, {"high_freq_factor", 4}}),
      HasSubstr("high_freq_factor is not above low_freq_factor"));
  EXPECT_THAT(scaled({{"full_attention", {{"rope_type", "default"}}}}), HasSubstr("\"full_attention\""));
  EXPECT_THAT(scaled("linear"), HasSubstr("rope_scaling is not an object: found \"linear\""));
  EXPECT_THAT(refusal(with(kHubLlama2, "rope_theta", 1)), HasSubstr("rope_theta is out of range"));
  EXPECT_THAT(refusal(with(kHubLlama31, "rope_parameters", {{"rope_type", "default"}})),
              HasSubstr("rope_parameters and rope_scaling differ"));
}

TEST(Llama, NamesWhatIsWrongWithItsHeads) {
  EXPECT_EQ(refusal(with(kHubLlama31, "num_key_value_heads", 5)),
            "config.json: the heads of keys and values do not divide the attention heads: found 5 and 32, "
            "expected num_key_value_heads that divides num_attention_heads");
  EXPECT_THAT(refusal(with(kHubLlama31, "num_key_value_heads", 64)),
              HasSubstr("num_key_value_heads is out of range: found 64, expected 1 to 32"));
  EXPECT_THAT(refusal(with(kHubLlama31, "head_dim", 63)), HasSubstr("the size of a head is odd"));
}

TEST(Qwen2, IsReadAsPublished) {
  const ModelConfig config = read(Json::parse(kHubQwen25));
  EXPECT_EQ(config.key_heads(), 2);
  EXPECT_EQ(config.head_size(), 64);
  EXPECT_EQ(config.rotary_base, 1e6);
  EXPECT_EQ(config.layer_norm_eps, 1e-6);
  EXPECT_TRUE(config.tie_word_embeddings && config.qkv_bias && config.gated);
  EXPECT_FALSE(config.attention_output_bias || config.feed_forward_bias);
  EXPECT_EQ(config.norm_kind, NormKind::rms);
  EXPECT_EQ(config.bos_token_id, 151643);
  // `transformers` would take 32.
  EXPECT_THAT(refusal(without(kHubQwen25, "num_key_value_heads")), HasSubstr("num_key_value_heads"));
}

TEST(Qwen2, WritesWhatTransformersWrites) {
  const OrderedJson written = find_family("qwen2", "").write_config(read(Json::parse(kHubQwen25)));
  EXPECT_EQ(written["layer_types"].size(), 24u);
  EXPECT_EQ(written["use_sliding_window"], false);
  EXPECT_FALSE(written.contains("attention_bias") || written.contains("head_dim"));
}

TEST(Llama, NewOnesTakeHeadsAndBase) {
  for (const char* family : {"llama", "qwen2"}) {
    ModelOptions options = tiny_options(family);
    options.num_attention_heads = 6;
    options.num_key_value_heads = 2;
    options.rope_theta = 5e5;
    options.intermediate_size = 0;
    const ModelConfig config = find_family(family, "").from_options(options, 211, 17);
    EXPECT_EQ(config.key_heads(), 2);
    EXPECT_EQ(config.rotary_base, 5e5);
    EXPECT_EQ(config.intermediate_size, 96);  // 8/3 of 36
    EXPECT_EQ(config.activation, Activation::silu);
    EXPECT_EQ(config.layer_norm_eps, 1e-6);
    EXPECT_EQ(config.hidden_dropout, 0);
    EXPECT_EQ(config.embedding_dropout, 0);
    EXPECT_EQ(config.attention_dropout, 0);
    EXPECT_EQ(config.qkv_bias, config.family == "qwen2");
    options.num_key_value_heads = 0;
    options.rope_theta = 0;
    EXPECT_EQ(find_family(family, "").from_options(options, 211, 17).key_heads(), 6);
    EXPECT_EQ(find_family(family, "").from_options(options, 211, 17).rotary_base, 10000);
  }
}

TEST(Llama, NewOnesStartFromOneRange) {
  for (const Parameter& parameter : make_parameter_table(tiny_llama()).parameters) {
    const bool norm = parameter.shape.rank() == 1;
    EXPECT_EQ(parameter.initial, norm ? Initial::one : Initial::normal) << parameter.name;
    EXPECT_EQ(parameter.range, norm ? 0 : 0.02) << parameter.name;
    EXPECT_EQ(parameter.decay, !norm) << parameter.name;
    EXPECT_EQ(parameter.last_rows, 0) << parameter.name;
  }
}

TEST(Llama, NewOnesRefuseWhatTheirConfigurationCannotSay) {
  const auto refused = [](const std::function<void(ModelOptions&)>& change) {
    ModelOptions options = tiny_options("llama");
    change(options);
    return error_of([&] { find_family("llama", "").from_options(options, 211, 17); }, ErrorKind::usage);
  };
  EXPECT_EQ(refused([](ModelOptions& options) { options.hidden_dropout_prob = 0.1; }),
            "model.hidden_dropout_prob: a model of family llama has one hidden_dropout_prob: found 0.1, "
            "expected 0.0");
  EXPECT_THAT(refused([](ModelOptions& options) { options.embedding_dropout_prob = 0.1; }),
              HasSubstr("model.embedding_dropout_prob"));
  EXPECT_THAT(refused([](ModelOptions& options) { options.num_key_value_heads = 2; }),
              HasSubstr("found 2 and 3"));
  EXPECT_THAT(refused([](ModelOptions& options) { options.rope_theta = 0.5; }),
              HasSubstr("rope_theta is out of range"));
  EXPECT_THAT(refused([](ModelOptions& options) { options.type_vocab_size = 2; }),
              HasSubstr("model.type_vocab_size"));
}

}  // namespace
}  // namespace surprisal
