#include "model/family.h"

#include <tuple>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/error_matchers.h"
#include "tests/model/configurations.h"
#include "tests/model/tiny_models.h"

namespace surprisal {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// As transformers 5 writes them.
constexpr const char* kBert = R"({
  "add_cross_attention": false, "architectures": ["BertForPreTraining"], "attention_probs_dropout_prob": 0.2,
  "bos_token_id": null, "classifier_dropout": null, "dtype": "float32", "eos_token_id": null, "hidden_act": "relu",
  "hidden_dropout_prob": 0.3, "hidden_size": 36, "initializer_range": 0.04, "intermediate_size": 50,
  "is_decoder": false, "layer_norm_eps": 1e-07, "max_position_embeddings": 17, "model_type": "bert",
  "num_attention_heads": 3, "num_hidden_layers": 2, "pad_token_id": 5, "tie_word_embeddings": true,
  "transformers_version": "5.24.0", "type_vocab_size": 4, "use_cache": true, "vocab_size": 211})";
constexpr const char* kGpt2 = R"({
  "activation_function": "gelu", "add_cross_attention": false, "architectures": ["GPT2LMHeadModel"],
  "attn_pdrop": 0.2, "bos_token_id": 7, "dtype": "float32", "embd_pdrop": 0.3, "eos_token_id": 8,
  "initializer_range": 0.04, "layer_norm_epsilon": 1e-06, "model_type": "gpt2", "n_embd": 36, "n_head": 3,
  "n_inner": 50, "n_layer": 2, "n_positions": 17, "pad_token_id": null, "reorder_and_upcast_attn": true,
  "resid_pdrop": 0.4, "scale_attn_by_inverse_layer_idx": false, "scale_attn_weights": true,
  "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true,
  "summary_type": "cls_index", "summary_use_proj": true, "tie_word_embeddings": true,
  "transformers_version": "5.24.0", "use_cache": true, "vocab_size": 211})";
constexpr const char* kRoberta = R"({
  "add_cross_attention": false, "architectures": ["RobertaForMaskedLM"], "attention_probs_dropout_prob": 0.2,
  "bos_token_id": 0, "classifier_dropout": null, "dtype": "float32", "eos_token_id": 2, "hidden_act": "gelu_new",
  "hidden_dropout_prob": 0.3, "hidden_size": 36, "initializer_range": 0.04, "intermediate_size": 50,
  "is_decoder": false, "layer_norm_eps": 1e-05, "max_position_embeddings": 17, "model_type": "roberta",
  "num_attention_heads": 3, "num_hidden_layers": 2, "pad_token_id": 4, "tie_word_embeddings": false,
  "transformers_version": "5.24.0", "type_vocab_size": 1, "use_cache": true, "vocab_size": 211})";
// As the hub holds the published models: what transformers 2 to 4 and conversion scripts left behind.
constexpr const char* kHubBertBaseChinese = R"({
  "architectures": ["BertForMaskedLM"], "attention_probs_dropout_prob": 0.1, "directionality": "bidi",
  "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768, "initializer_range": 0.02,
  "intermediate_size": 3072, "layer_norm_eps": 1e-12, "max_position_embeddings": 512, "model_type": "bert",
  "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 0, "pooler_fc_size": 768,
  "pooler_num_attention_heads": 12, "pooler_num_fc_layers": 3, "pooler_size_per_head": 128,
  "pooler_type": "first_token_transform", "position_embedding_type": "absolute", "gradient_checkpointing": false,
  "transformers_version": "4.6.0.dev0", "type_vocab_size": 2, "use_cache": true, "vocab_size": 21128})";
constexpr const char* kHubRobertaBase = R"({
  "architectures": ["RobertaForMaskedLM"], "attention_probs_dropout_prob": 0.1, "bos_token_id": 0,
  "eos_token_id": 2, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "hidden_size": 768,
  "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 514,
  "model_type": "roberta", "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1,
  "type_vocab_size": 1, "vocab_size": 50265})";
constexpr const char* kHubDistilGpt2 = R"({
  "_num_labels": 1, "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
  "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "id2label": {"0": "LABEL_0"},
  "initializer_range": 0.02, "label2id": {"LABEL_0": 0}, "layer_norm_epsilon": 1e-05, "model_type": "gpt2",
  "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 6, "n_positions": 1024, "resid_pdrop": 0.1,
  "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true,
  "summary_type": "cls_index", "summary_use_proj": true,
  "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}}, "vocab_size": 50257})";

TEST(Family, ReadsEveryKeyOfBert) {
  const ModelConfig config = read(Json::parse(kBert));
  EXPECT_EQ(config.family, "bert");
  EXPECT_EQ(config.vocab_size, 211);
  EXPECT_EQ(config.hidden_size, 36);
  EXPECT_EQ(config.num_hidden_layers, 2);
  EXPECT_EQ(config.num_attention_heads, 3);
  EXPECT_EQ(config.intermediate_size, 50);
  EXPECT_EQ(config.max_position_embeddings, 17);
  EXPECT_EQ(config.type_vocab_size, 4);
  EXPECT_EQ(config.activation, Activation::relu);
  EXPECT_EQ(config.layer_norm_eps, 1e-7);
  EXPECT_EQ(config.initializer_range, 0.04);
  EXPECT_FALSE(config.scaled_residual_init);
  EXPECT_EQ(config.embedding_dropout, 0.3);
  EXPECT_EQ(config.hidden_dropout, 0.3);
  EXPECT_EQ(config.attention_dropout, 0.2);
  EXPECT_EQ(config.norm, NormPlacement::post);
  EXPECT_TRUE(config.embedding_norm && config.head_transform && config.head_bias && config.pooler);
  EXPECT_FALSE(config.final_norm);
  EXPECT_EQ(config.classes, 2);
  EXPECT_EQ(config.bos_token_id, -1);
  EXPECT_EQ(config.eos_token_id, -1);
  EXPECT_EQ(config.pad_token_id, 5);
}

TEST(Family, ReadsEveryKeyOfGpt2) {
  const ModelConfig config = read(Json::parse(kGpt2));
  EXPECT_EQ(config.family, "gpt2");
  EXPECT_EQ(config.vocab_size, 211);
  EXPECT_EQ(config.hidden_size, 36);
  EXPECT_EQ(config.num_hidden_layers, 2);
  EXPECT_EQ(config.num_attention_heads, 3);
  EXPECT_EQ(config.intermediate_size, 50);
  EXPECT_EQ(config.max_position_embeddings, 17);
  EXPECT_EQ(config.type_vocab_size, 0);
  EXPECT_EQ(config.activation, Activation::gelu);
  EXPECT_EQ(config.layer_norm_eps, 1e-6);
  EXPECT_EQ(config.initializer_range, 0.04);
  EXPECT_TRUE(config.scaled_residual_init);
  EXPECT_EQ(config.embedding_dropout, 0.3);
  EXPECT_EQ(config.hidden_dropout, 0.4);
  EXPECT_EQ(config.attention_dropout, 0.2);
  EXPECT_EQ(config.norm, NormPlacement::pre);
  EXPECT_TRUE(config.final_norm);
  EXPECT_FALSE(config.embedding_norm || config.head_transform || config.head_bias || config.pooler);
  EXPECT_EQ(config.classes, 0);
  EXPECT_EQ(config.bos_token_id, 7);
  EXPECT_EQ(config.eos_token_id, 8);
  EXPECT_EQ(config.pad_token_id, -1);
}

TEST(Family, ReadsEveryKeyOfRoberta) {
  const ModelConfig config = read(Json::parse(kRoberta));
  EXPECT_EQ(config.family, "roberta");
  EXPECT_EQ(config.pad_token_id, 4);
  EXPECT_EQ(config.bos_token_id, 0);
  EXPECT_EQ(config.eos_token_id, 2);
  EXPECT_EQ(config.position_offset(), 5);
  EXPECT_EQ(config.max_position_embeddings, 12);  // of the 17 rows
  EXPECT_EQ(config.type_vocab_size, 1);
  EXPECT_EQ(config.activation, Activation::gelu_tanh);
  EXPECT_EQ(config.head_activation, Activation::gelu);
  EXPECT_EQ(config.layer_norm_eps, 1e-5);
  EXPECT_FALSE(config.tie_word_embeddings);
  EXPECT_TRUE(config.embedding_norm && config.head_transform && config.head_bias);
  EXPECT_FALSE(config.pooler || config.final_norm);
  EXPECT_EQ(config.classes, 0);
}

TEST(Family, CountsThePositionsOfRobertaFromBehindThePadding) {
  EXPECT_EQ(read(Json::parse(kHubRobertaBase)).max_position_embeddings, 512);
  EXPECT_EQ(read(without(kRoberta, "pad_token_id")).position_offset(), 2);
  EXPECT_THAT(refusal(with(kRoberta, "max_position_embeddings", 5)), HasSubstr("max_position_embeddings"));
  EXPECT_THAT(refusal(with(kRoberta, "pad_token_id", nullptr)), HasSubstr("there is no padding token"));
  ModelOptions options = tiny_options("roberta");
  options.max_position_embeddings = 514;
  const Family& family = find_family("roberta", "");
  ModelConfig config = family.from_options(options, {211, 0, 2, 1}, 128);
  EXPECT_EQ(config.max_position_embeddings, 512);
  EXPECT_EQ(family.write_config(config)["max_position_embeddings"], 514);
  const ParameterTable table = make_parameter_table(config);
  const int positions = table.find("embedding.position.weight");
  EXPECT_EQ(table.parameters[static_cast<std::size_t>(positions)].shape, (Shape{514, 36}));
  options.max_position_embeddings = 0;
  config = family.from_options(options, {211, 0, 2, 6}, 128);
  EXPECT_EQ(config.max_position_embeddings, 128);
  EXPECT_EQ(family.write_config(config)["max_position_embeddings"], 135);
}

TEST(Family, HonoursTheScaleOfAttention) {
  EXPECT_TRUE(read(Json::parse(kGpt2)).scale_attention);
  EXPECT_FALSE(read(with(kGpt2, "scale_attn_weights", false)).scale_attention);
  EXPECT_FALSE(read(with(kGpt2, "tie_word_embeddings", false)).tie_word_embeddings);
}

TEST(Family, UsesTheDefaultsOfTransformersForAbsentKeys) {
  Json bert = Json::parse(kBert), gpt2 = Json::parse(kGpt2);
  for (const char* key :
       {"type_vocab_size", "hidden_act", "layer_norm_eps", "initializer_range", "hidden_dropout_prob",
        "attention_probs_dropout_prob", "pad_token_id", "architectures"}) {
    bert.erase(key);
  }
  const ModelConfig b = read(bert);
  EXPECT_EQ(b.type_vocab_size, 2);
  EXPECT_EQ(b.activation, Activation::gelu);
  EXPECT_EQ(b.layer_norm_eps, 1e-12);
  EXPECT_EQ(b.initializer_range, 0.02);
  EXPECT_EQ(b.hidden_dropout, 0.1);
  EXPECT_EQ(b.attention_dropout, 0.1);
  EXPECT_EQ(b.pad_token_id, 0);
  EXPECT_EQ(b.classes, 2);
  for (const char* key : {"activation_function", "layer_norm_epsilon", "initializer_range", "resid_pdrop",
                          "embd_pdrop", "attn_pdrop", "bos_token_id", "n_inner"}) {
    gpt2.erase(key);
  }
  const ModelConfig g = read(gpt2);
  EXPECT_EQ(g.activation, Activation::gelu_tanh);
  EXPECT_EQ(g.layer_norm_eps, 1e-5);
  EXPECT_EQ(g.initializer_range, 0.02);
  EXPECT_EQ(g.hidden_dropout, 0.1);
  EXPECT_EQ(g.embedding_dropout, 0.1);
  EXPECT_EQ(g.attention_dropout, 0.1);
  EXPECT_EQ(g.intermediate_size, 4 * 36);
  EXPECT_EQ(g.bos_token_id, -1);  // 50256 is beyond this vocabulary
  EXPECT_EQ(read(with(kGpt2, "n_inner", nullptr)).intermediate_size, 4 * 36);
}

TEST(Family, ReadsPublishedConfigurations) {
  const ModelConfig bert = read(Json::parse(kHubBertBaseChinese));
  EXPECT_EQ(bert.vocab_size, 21128);
  EXPECT_FALSE(bert.pooler);  // BertForMaskedLM has neither pooler nor sentence head
  EXPECT_EQ(bert.classes, 0);
  const ModelConfig gpt2 = read(Json::parse(kHubDistilGpt2));
  EXPECT_EQ(gpt2.intermediate_size, 3072);
  EXPECT_EQ(gpt2.eos_token_id, 50256);
}

TEST(Family, TakesTheFirstOfSeveralEnds) {
  EXPECT_EQ(read(with(kGpt2, "eos_token_id", {9, 10})).eos_token_id, 9);
}

TEST(Family, WritesWhatItReads) {
  for (const char* text : {kBert, kRoberta, kGpt2, kHubBertBaseChinese, kHubRobertaBase, kHubDistilGpt2,
                           kHubGlmLargeChinese, kGlm130b, kHubLlama2, kHubLlama31, kHubQwen25}) {
    const ModelConfig config = read(Json::parse(text));
    const OrderedJson written = find_family(config.family, "").write_config(config);
    const Json again = Json::parse(written.dump());
    const Json original = Json::parse(text);
    for (const auto& [key, value] : again.items()) {
      // null means four times the width; how f16 is kept from overflowing is not ours; the width of a window
      // that is off is not kept.
      if (!original.contains(key) || key == "n_inner" || key == "attention_scale") continue;
      if (key == "sliding_window") continue;
      EXPECT_EQ(value, original[key]) << key;
    }
    const ModelConfig reread = read(again);
    EXPECT_EQ(find_family(config.family, "").write_config(reread), written);
    EXPECT_EQ(reread.classes, config.classes);
  }
}

struct Refused {
  const char* text;
  const char* key;
  Json value;
};

TEST(Family, RefusesByNameWhatChangesTheMathematics) {
  const std::vector<Refused> cases = {
      {kBert, "position_embedding_type", "relative_key"},
      {kBert, "is_decoder", true},
      {kBert, "add_cross_attention", true},
      {kBert, "is_encoder_decoder", true},
      {kBert, "embedding_size", 128},
      {kBert, "pruned_heads", {{"0", {1}}}},
      {kBert, "quantization_config", {{"bits", 4}}},
      {kBert, "auto_map", {{"AutoModel", "modeling.Model"}}},
      {kBert, "rope_theta", 10000.0},
      {kRoberta, "position_embedding_type", "relative_key_query"},
      {kRoberta, "is_decoder", true},
      {kGpt2, "scale_attn_by_inverse_layer_idx", true},
      {kGpt2, "add_cross_attention", true},
      {kGpt2, "sliding_window", 128},
      {kGpt2, "logit_softcap", 30},
      {kGpt2, "use_rms_norm", true},
      {kHubGlmLargeChinese, "relative_encoding", true},
      {kHubGlmLargeChinese, "tie_word_embeddings", false},
      {kHubGlmLargeChinese, "rope_theta", 10000.0},
      {kGlm130b, "position_encoding_2d", true},
      {kGlm130b, "layernorm_order", "pre"},
      {kGlm130b, "num_key_value_heads", 8},
      {kHubLlama31, "rope_interleaved", true},
      {kHubLlama31, "sliding_window", 4096},
      {kHubLlama31, "partial_rotary_factor", 0.5},
      {kHubLlama31, "quantization_config", {{"bits", 4}}},
      {kHubLlama31, "is_encoder_decoder", true},
      {kHubLlama31, "add_cross_attention", true},
      {kHubLlama31, "logits_soft_cap", 30.0},
      {kHubQwen25, "use_sliding_window", true},
      {kHubQwen25, "layer_types", {"sliding_attention"}},
      {kHubQwen25, "use_mrope", true},
      {kHubQwen25, "attention_bias", true},
      {kHubQwen25, "mlp_bias", true},
  };
  for (const Refused& refused : cases) {
    const std::string message = refusal(with(refused.text, refused.key, refused.value));
    EXPECT_THAT(message, AllOf(HasSubstr("config.json"), HasSubstr(refused.key), HasSubstr("mathematics")));
  }
}

TEST(Family, NamesEveryUnknownKeyAtOnce) {
  Json json = with(kBert, "alibi", true);
  json["window"] = 3;
  json["nothing"] = nullptr;
  json["off"] = false;
  json["none"] = Json::array();
  EXPECT_EQ(refusal(json),
            "config.json: keys not known to surprisal, which may change the mathematics: found \"alibi\", "
            "\"window\"; remove them if the model computes the same without them");
}

TEST(Family, RefusesValuesOutOfRange) {
  const std::vector<Refused> cases = {
      {kBert, "hidden_size", 0},          {kBert, "hidden_size", -36},
      {kBert, "hidden_size", "36"},       {kBert, "hidden_size", 36.5},
      {kBert, "vocab_size", 4194305},     {kBert, "vocab_size", 18446744073709551615u},
      {kBert, "num_hidden_layers", 4097}, {kBert, "max_position_embeddings", 0},
      {kBert, "type_vocab_size", 0},      {kBert, "intermediate_size", 1LL << 40},
      {kBert, "hidden_dropout_prob", -1}, {kBert, "layer_norm_eps", "small"},
      {kBert, "initializer_range", -0.5}, {kBert, "pad_token_id", -2},
      {kGpt2, "n_positions", 0},          {kGpt2, "n_inner", 0},
      {kGpt2, "bos_token_id", 1LL << 40}, {kGpt2, "eos_token_id", {"end"}},
  };
  for (const Refused& refused : cases) {
    EXPECT_THAT(refusal(with(refused.text, refused.key, refused.value)),
                AllOf(HasSubstr("config.json"), HasSubstr(refused.key)))
        << refused.value;
  }
  EXPECT_THAT(refusal(with(kBert, "hidden_dropout_prob", 1)), HasSubstr("hidden dropout is out of range"));
  EXPECT_THAT(refusal(with(kGpt2, "layer_norm_epsilon", 0)), HasSubstr("layer_norm_eps is out of range"));
}

TEST(Family, NamesAMissingKey) {
  for (const char* key : {"vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
                          "intermediate_size", "max_position_embeddings"}) {
    EXPECT_THAT(refusal(without(kBert, key)), AllOf(HasSubstr(key), HasSubstr("missing")));
  }
  for (const char* key : {"vocab_size", "n_embd", "n_layer", "n_head", "n_positions"}) {
    EXPECT_THAT(refusal(without(kGpt2, key)), AllOf(HasSubstr(key), HasSubstr("missing")));
  }
}

TEST(Family, NamesBothNumbersWhereHeadsDoNotDivideTheWidth) {
  EXPECT_EQ(refusal(with(kBert, "num_attention_heads", 5)),
            "config.json: the attention heads do not divide the width: found 5 heads and width 36, expected "
            "num_attention_heads that divides hidden_size");
}

TEST(Family, NamesTheActivationsThereAre) {
  EXPECT_THAT(refusal(with(kBert, "hidden_act", "gelu_10")),
              AllOf(HasSubstr("hidden_act is not supported: found \"gelu_10\""), HasSubstr("gelu_new")));
}

TEST(Family, RefusesAConfigurationThatIsNoObject) {
  EXPECT_THAT(
      error_of([] { find_family("bert", "").read_config(Json::array(), "config.json"); }, ErrorKind::data),
      HasSubstr("config.json: not a model configuration: found array"));
}

TEST(Family, NamesTheFamiliesThereAre) {
  EXPECT_EQ(error_of([] { find_family("gpt3", "config.json"); }, ErrorKind::data),
            "config.json: unknown model family: found \"gpt3\", expected one of bert, roberta, gpt2, glm, "
            "glm-130b, llama, qwen2; "
            "did you mean gpt2?");
  EXPECT_THAT(error_of([] { find_family("", "model.family", ErrorKind::usage); }, ErrorKind::usage),
              HasSubstr("model.family: unknown model family"));
}

TEST(NewModel, TakesTheSameKeysForEveryFamily) {
  for (const char* name : {"bert", "roberta", "gpt2", "llama", "qwen2"}) {
    const bool llama = name == std::string("llama") || name == std::string("qwen2");
    ModelOptions options = tiny_options(name);
    options.hidden_act = "relu";
    options.layer_norm_eps = 1e-3;
    options.initializer_range = 0.5;
    options.hidden_dropout_prob = llama ? 0 : 0.25;
    options.attention_probs_dropout_prob = 0.125;
    const ModelConfig config = find_family(name, "").from_options(options, 300, 99);
    EXPECT_EQ(config.family, name);
    EXPECT_EQ(config.vocab_size, 300);
    EXPECT_EQ(config.hidden_size, 36);
    EXPECT_EQ(config.num_hidden_layers, 2);
    EXPECT_EQ(config.num_attention_heads, 3);
    EXPECT_EQ(config.intermediate_size, 50);
    EXPECT_EQ(config.max_position_embeddings + config.position_offset(), 17);
    EXPECT_EQ(config.activation, Activation::relu);
    EXPECT_EQ(config.layer_norm_eps, 1e-3);
    EXPECT_EQ(config.initializer_range, 0.5);
    EXPECT_EQ(config.hidden_dropout, options.hidden_dropout_prob);
    EXPECT_EQ(config.embedding_dropout, options.hidden_dropout_prob);
    EXPECT_EQ(config.attention_dropout, 0.125);
  }
}

TEST(NewModel, FillsInTheFamilysDefaults) {
  for (auto [name, activation, eps, types] :
       {std::tuple{"bert", Activation::gelu, 1e-12, 2}, std::tuple{"roberta", Activation::gelu, 1e-5, 1},
        std::tuple{"gpt2", Activation::gelu_tanh, 1e-5, 0}}) {
    ModelOptions options = tiny_options(name);
    options.intermediate_size = options.max_position_embeddings = 0;
    const ModelConfig config = find_family(name, "").from_options(options, 211, 99);
    EXPECT_EQ(config.intermediate_size, 4 * 36);
    EXPECT_EQ(config.max_position_embeddings, 99);
    EXPECT_EQ(config.activation, activation);
    EXPECT_EQ(config.layer_norm_eps, eps);
    EXPECT_EQ(config.type_vocab_size, types);
    EXPECT_EQ(config.hidden_dropout, 0.1);
    EXPECT_EQ(config.embedding_dropout, 0.1);
    EXPECT_EQ(config.attention_dropout, 0.1);
  }
}

TEST(NewModel, SaysWhatIsWrongWithTheOptions) {
  auto refused = [](const char* name, auto change) {
    ModelOptions options = tiny_options(name);
    change(options);
    return error_of([&] { find_family(name, "").from_options(options, 211, 17); }, ErrorKind::usage);
  };
  EXPECT_EQ(refused("gpt2", [](ModelOptions& o) { o.hidden_size = 0; }),
            "[model]: hidden_size is out of range: found 0, expected 1 to 131072");
  EXPECT_THAT(refused("gpt2", [](ModelOptions& o) { o.num_attention_heads = 5; }),
              HasSubstr("found 5 heads and width 36"));
  EXPECT_THAT(refused("bert", [](ModelOptions& o) { o.hidden_act = "mish"; }),
              HasSubstr("model.hidden_act: unknown activation: found \"mish\""));
  EXPECT_THAT(refused("bert", [](ModelOptions& o) { o.embedding_dropout_prob = 0.5; }),
              HasSubstr("model.embedding_dropout_prob: bert has one probability"));
  EXPECT_EQ(
      refused("gpt2", [](ModelOptions& o) { o.num_key_value_heads = 1; }),
      "model.num_key_value_heads: a model of family gpt2 has one num_key_value_heads: found 1, expected 3");
  EXPECT_THAT(refused("gpt2", [](ModelOptions& o) { o.rope_theta = 5e5; }), HasSubstr("model.rope_theta"));
  EXPECT_THAT(refused("glm-130b", [](ModelOptions& o) { o.rope_theta = 5e5; }),
              HasSubstr("found 500000.0, expected 10000.0"));
}

}  // namespace
}  // namespace surprisal
