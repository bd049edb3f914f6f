// The tensors of the families: bindings, names in files, and heads.
#include <array>
#include <map>
#include <set>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/family.h"
#include "tests/core/error_matchers.h"
#include "tests/model/tiny_models.h"

namespace surprisal {
namespace {

using testing::HasSubstr;

// Every family, with a head of its own and without; no optional head and both.
std::vector<ModelConfig> every_shape() {
  std::vector<ModelConfig> shapes;
  for (const char* family : {"bert", "roberta", "gpt2", "llama", "qwen2"}) {
    ModelOptions options = tiny_options(family);
    const bool grouped = family == std::string("llama") || family == std::string("qwen2");
    if (grouped) options.num_key_value_heads = 1;
    ModelConfig config = find_family(family, "").from_options(options, 211, 17);
    shapes.push_back(config);
    config.tie_word_embeddings = false;
    shapes.push_back(config);
    if (grouped) {
      config.head_dim = 10;
      config.qkv_bias = config.attention_output_bias = config.feed_forward_bias = true;
      shapes.push_back(config);
    }
    if (grouped || config.family == "gpt2") continue;
    config.pooler = true;
    shapes.push_back(config);
    config.pooler = false;
    config.classes = 0;
    shapes.push_back(config);
  }
  return shapes;
}

TEST(Bindings, CoverEveryParameterExactlyOnce) {
  for (const ModelConfig& config : every_shape()) {
    const ParameterTable table = make_parameter_table(config);
    const Family& family = find_family(config.family, "");
    std::vector<std::int64_t> rows(table.parameters.size(), 0);
    std::set<std::string> stored;
    for (const Binding& binding : family.bindings(config, table)) {
      // The parts of one parameter come in order, so equal sums mean neither gap nor overlap.
      EXPECT_EQ(binding.row_begin, rows.at(static_cast<std::size_t>(binding.parameter))) << binding.stored;
      rows[static_cast<std::size_t>(binding.parameter)] = binding.row_end;
      EXPECT_TRUE(stored.insert(binding.stored).second) << binding.stored;
      EXPECT_FALSE(family.buffer(binding.stored)) << binding.stored;
      EXPECT_EQ(current_name(family, binding.stored), binding.stored);
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i], table.parameters[i].shape[0]) << table.parameters[i].name;
    }
  }
}

using Shapes = std::map<std::string, std::vector<std::int64_t>>;
Shapes stored_shapes(const ModelConfig& config) {
  const ParameterTable table = make_parameter_table(config);
  Shapes shapes;
  for (const Binding& binding : find_family(config.family, "").bindings(config, table)) {
    shapes[binding.stored] = binding.stored_shape(table);
  }
  return shapes;
}

// What transformers 5.24 writes for the same sizes (save_pretrained).
TEST(Bindings, AreTheNamesAndShapesOfTransformersForBert) {
  ModelConfig config = tiny_bert();
  config.num_hidden_layers = 1;
  const std::string layer = "bert.encoder.layer.0.";
  EXPECT_EQ(stored_shapes(config), (Shapes{{"bert.embeddings.LayerNorm.bias", {36}},
                                           {"bert.embeddings.LayerNorm.weight", {36}},
                                           {"bert.embeddings.position_embeddings.weight", {17, 36}},
                                           {"bert.embeddings.token_type_embeddings.weight", {2, 36}},
                                           {"bert.embeddings.word_embeddings.weight", {211, 36}},
                                           {layer + "attention.output.LayerNorm.bias", {36}},
                                           {layer + "attention.output.LayerNorm.weight", {36}},
                                           {layer + "attention.output.dense.bias", {36}},
                                           {layer + "attention.output.dense.weight", {36, 36}},
                                           {layer + "attention.self.key.bias", {36}},
                                           {layer + "attention.self.key.weight", {36, 36}},
                                           {layer + "attention.self.query.bias", {36}},
                                           {layer + "attention.self.query.weight", {36, 36}},
                                           {layer + "attention.self.value.bias", {36}},
                                           {layer + "attention.self.value.weight", {36, 36}},
                                           {layer + "intermediate.dense.bias", {50}},
                                           {layer + "intermediate.dense.weight", {50, 36}},
                                           {layer + "output.LayerNorm.bias", {36}},
                                           {layer + "output.LayerNorm.weight", {36}},
                                           {layer + "output.dense.bias", {36}},
                                           {layer + "output.dense.weight", {36, 50}},
                                           {"bert.pooler.dense.bias", {36}},
                                           {"bert.pooler.dense.weight", {36, 36}},
                                           {"cls.predictions.bias", {211}},
                                           {"cls.predictions.transform.LayerNorm.bias", {36}},
                                           {"cls.predictions.transform.LayerNorm.weight", {36}},
                                           {"cls.predictions.transform.dense.bias", {36}},
                                           {"cls.predictions.transform.dense.weight", {36, 36}},
                                           {"cls.seq_relationship.bias", {2}},
                                           {"cls.seq_relationship.weight", {2, 36}}}));
}

TEST(Bindings, AreTheNamesAndShapesOfTransformersForGpt2) {
  ModelConfig config = tiny_gpt2();
  config.num_hidden_layers = 1;
  EXPECT_EQ(stored_shapes(config), (Shapes{{"transformer.h.0.attn.c_attn.bias", {108}},
                                           {"transformer.h.0.attn.c_attn.weight", {36, 108}},
                                           {"transformer.h.0.attn.c_proj.bias", {36}},
                                           {"transformer.h.0.attn.c_proj.weight", {36, 36}},
                                           {"transformer.h.0.ln_1.bias", {36}},
                                           {"transformer.h.0.ln_1.weight", {36}},
                                           {"transformer.h.0.ln_2.bias", {36}},
                                           {"transformer.h.0.ln_2.weight", {36}},
                                           {"transformer.h.0.mlp.c_fc.bias", {50}},
                                           {"transformer.h.0.mlp.c_fc.weight", {36, 50}},
                                           {"transformer.h.0.mlp.c_proj.bias", {36}},
                                           {"transformer.h.0.mlp.c_proj.weight", {50, 36}},
                                           {"transformer.ln_f.bias", {36}},
                                           {"transformer.ln_f.weight", {36}},
                                           {"transformer.wpe.weight", {17, 36}},
                                           {"transformer.wte.weight", {211, 36}}}));
}

TEST(Bindings, AreTheNamesAndShapesOfTransformersForLlamaAndQwen2) {
  const std::string layer = "model.layers.0.";
  ModelConfig config = tiny_llama();
  config.num_hidden_layers = 1;
  config.tie_word_embeddings = false;
  config.head_dim = 10;
  Shapes shapes = {{"lm_head.weight", {211, 36}},
                   {"model.embed_tokens.weight", {211, 36}},
                   {layer + "input_layernorm.weight", {36}},
                   {layer + "mlp.down_proj.weight", {36, 50}},
                   {layer + "mlp.gate_proj.weight", {50, 36}},
                   {layer + "mlp.up_proj.weight", {50, 36}},
                   {layer + "post_attention_layernorm.weight", {36}},
                   {layer + "self_attn.k_proj.weight", {20, 36}},
                   {layer + "self_attn.o_proj.weight", {36, 60}},
                   {layer + "self_attn.q_proj.weight", {60, 36}},
                   {layer + "self_attn.v_proj.weight", {20, 36}},
                   {"model.norm.weight", {36}}};
  EXPECT_EQ(stored_shapes(config), shapes);
  const Shapes qkv_biases = {{layer + "self_attn.k_proj.bias", {20}},
                             {layer + "self_attn.q_proj.bias", {60}},
                             {layer + "self_attn.v_proj.bias", {20}}};
  shapes.insert(qkv_biases.begin(), qkv_biases.end());
  ModelConfig qwen2 = tiny_llama("qwen2");
  qwen2.num_hidden_layers = 1;
  qwen2.tie_word_embeddings = false;
  qwen2.head_dim = 10;
  EXPECT_EQ(stored_shapes(qwen2), shapes);
  config.qkv_bias = config.attention_output_bias = config.feed_forward_bias = true;
  shapes.insert({{layer + "mlp.down_proj.bias", {36}},
                 {layer + "mlp.gate_proj.bias", {50}},
                 {layer + "mlp.up_proj.bias", {50}},
                 {layer + "self_attn.o_proj.bias", {36}}});
  EXPECT_EQ(stored_shapes(config), shapes);
}

TEST(Bindings, AreTheNamesOfTransformersForTheHeadOfRoberta) {
  const Shapes shapes = stored_shapes(tiny_roberta());
  Shapes head;
  for (const auto& [name, shape] : shapes) {
    if (!name.starts_with("roberta.encoder.")) head[name] = shape;
  }
  EXPECT_EQ(head, (Shapes{{"lm_head.bias", {211}},
                          {"lm_head.dense.bias", {36}},
                          {"lm_head.dense.weight", {36, 36}},
                          {"lm_head.layer_norm.bias", {36}},
                          {"lm_head.layer_norm.weight", {36}},
                          {"roberta.embeddings.LayerNorm.bias", {36}},
                          {"roberta.embeddings.LayerNorm.weight", {36}},
                          {"roberta.embeddings.position_embeddings.weight", {17, 36}},
                          {"roberta.embeddings.token_type_embeddings.weight", {1, 36}},
                          {"roberta.embeddings.word_embeddings.weight", {211, 36}}}));
  // The layers are BERT's under another prefix.
  Shapes layers;
  for (const auto& [name, shape] : stored_shapes(tiny_bert())) {
    if (name.starts_with("bert.encoder.")) layers["roberta." + name.substr(5)] = shape;
  }
  EXPECT_EQ(shapes.size(), head.size() + layers.size());
  for (const auto& [name, shape] : layers) EXPECT_EQ(shapes.at(name), shape) << name;
}

TEST(Names, OfFilesAreThoseOfToday) {
  const std::vector<std::array<const char*, 3>> cases = {
      {"bert", "embeddings.LayerNorm.gamma", "bert.embeddings.LayerNorm.weight"},
      {"bert", "bert.embeddings.LayerNorm.beta", "bert.embeddings.LayerNorm.bias"},
      {"bert", "encoder.layer.11.attention.output.LayerNorm.gamma",
       "bert.encoder.layer.11.attention.output.LayerNorm.weight"},
      {"bert", "pooler.dense.bias", "bert.pooler.dense.bias"},
      {"bert", "cls.predictions.transform.LayerNorm.beta", "cls.predictions.transform.LayerNorm.bias"},
      {"bert", "classifier.weight", "classifier.weight"},
      {"bert", "embeddings", "embeddings"},
      {"roberta", "encoder.layer.0.output.dense.weight", "roberta.encoder.layer.0.output.dense.weight"},
      {"roberta", "lm_head.layer_norm.weight", "lm_head.layer_norm.weight"},
      {"gpt2", "h.3.ln_1.weight", "transformer.h.3.ln_1.weight"},
      {"gpt2", "wte.weight", "transformer.wte.weight"},
      {"gpt2", "ln_f.bias", "transformer.ln_f.bias"},
      {"gpt2", "lm_head.weight", "lm_head.weight"},
      {"gpt2", "transformer.wpe.weight", "transformer.wpe.weight"},
      {"llama", "layers.3.mlp.up_proj.weight", "model.layers.3.mlp.up_proj.weight"},
      {"llama", "norm.weight", "model.norm.weight"},
      {"qwen2", "embed_tokens.weight", "model.embed_tokens.weight"},
      {"qwen2", "lm_head.weight", "lm_head.weight"},
  };
  for (const auto& [family, stored, name] : cases) {
    EXPECT_EQ(current_name(find_family(family, ""), stored), name) << family;
  }
}

TEST(Names, OfBuffersAreKnown) {
  EXPECT_TRUE(find_family("bert", "").buffer("bert.embeddings.position_ids"));
  EXPECT_TRUE(find_family("roberta", "").buffer("roberta.embeddings.position_ids"));
  EXPECT_TRUE(find_family("gpt2", "").buffer("transformer.h.11.attn.bias"));
  EXPECT_TRUE(find_family("gpt2", "").buffer("transformer.h.0.attn.masked_bias"));
  EXPECT_FALSE(find_family("bert", "").buffer("classifier.weight"));
  EXPECT_FALSE(find_family("gpt2", "").buffer("transformer.h.0.attn.c_attn.bias"));
  EXPECT_FALSE(find_family("gpt2", "").buffer("lm_head.bias"));
  EXPECT_TRUE(find_family("llama", "").buffer("model.layers.3.self_attn.rotary_emb.inv_freq"));
  EXPECT_TRUE(find_family("qwen2", "").buffer("model.rotary_emb.inv_freq"));
  EXPECT_FALSE(find_family("llama", "").buffer("model.layers.3.self_attn.q_proj.bias"));
}

TEST(Heads, AreThoseThatTheFileHas) {
  ModelConfig config = tiny_bert();
  const Family& bert = find_family("bert", "");
  fit_heads(bert, {"bert.embeddings.word_embeddings.weight"}, config);
  EXPECT_FALSE(config.pooler);
  EXPECT_EQ(config.classes, 0);
  EXPECT_EQ(bert.write_config(config)["architectures"][0], "BertForMaskedLM");
  fit_heads(bert, {"bert.pooler.dense.bias", "bert.pooler.dense.weight"}, config);
  EXPECT_TRUE(config.pooler);
  EXPECT_EQ(config.classes, 0);
  fit_heads(bert, {"cls.seq_relationship.weight"}, config);  // the pooler will be named as missing
  EXPECT_TRUE(config.pooler);
  EXPECT_EQ(config.classes, 2);
  EXPECT_EQ(bert.write_config(config)["architectures"][0], "BertForPreTraining");

  config = tiny_roberta();
  EXPECT_FALSE(config.pooler);
  fit_heads(find_family("roberta", ""), {"roberta.pooler.dense.weight"}, config);
  EXPECT_TRUE(config.pooler);  // of the published files; nothing uses it
  EXPECT_EQ(config.classes, 0);
  config = tiny_gpt2();
  fit_heads(find_family("gpt2", ""), {"pooler.weight"}, config);
  EXPECT_FALSE(config.pooler);
}

TEST(Heads, AreAddedWhereTheFamilyHasThem) {
  ModelConfig config = tiny_bert();
  config.pooler = false;
  config.classes = 0;
  add_sentence_head(2, config);
  EXPECT_TRUE(config.pooler);
  EXPECT_EQ(config.classes, 2);
  ModelConfig decoder = tiny_gpt2();
  EXPECT_THAT(error_of([&] { add_sentence_head(2, decoder); }, ErrorKind::usage),
              HasSubstr("family gpt2 has no sentence head"));
}

TEST(Heads, AreWhatStandsOutsideTheBody) {
  const Family &bert = find_family("bert", ""), &gpt2 = find_family("gpt2", "");
  for (const char* name : {"cls.predictions.bias", "classifier.weight", "bert.pooler.dense.bias"}) {
    EXPECT_TRUE(is_of_head(bert, name)) << name;
  }
  EXPECT_FALSE(is_of_head(bert, "bert.encoder.layer.7.extra"));
  EXPECT_TRUE(is_of_head(gpt2, "score.weight"));
  EXPECT_FALSE(is_of_head(gpt2, "transformer.h.0.extra"));
}

}  // namespace
}  // namespace surprisal
