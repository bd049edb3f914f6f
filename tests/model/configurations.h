// Configurations as files hold them, changed and read.
#pragma once

#include <string>
#include <utility>

#include "model/family.h"
#include "tests/core/error_matchers.h"

namespace surprisal {

// As the hub holds one of the published GLMs.
inline constexpr const char* kHubGlmLargeChinese = R"({
  "architectures": ["GLMForConditionalGeneration"], "attention_dropout_prob": 0.2, "attention_scale": 8.0,
  "auto_map": {"AutoConfig": "configuration_glm.GLMConfig", "AutoModel": "modeling_glm.GLMModel"},
  "block_position_encoding": true, "checkpoint_activations": false, "checkpoint_num_layers": 1,
  "embedding_dropout_prob": 0.3, "hidden_size": 1024, "initializer_range": 0.03, "max_sequence_length": 1024,
  "model_type": "glm", "num_attention_heads": 16, "num_layers": 24, "output_dropout_prob": 0.4,
  "output_predict": true, "parallel_output": true, "pool_token": "cls", "relative_encoding": false,
  "spell_func": "lstm", "spell_length": null, "torch_dtype": "float32", "transformers_version": "4.23.1",
  "vocab_size": 50048})";
inline constexpr const char* kGlm130b = R"({
  "model_type": "glm-130b", "num_layers": 70, "hidden_size": 12288, "inner_hidden_size": 32768,
  "num_attention_heads": 96, "vocab_size": 150528, "max_sequence_length": 2048, "layernorm_epsilon": 1e-06,
  "embedding_gradient_shrink": 0.2})";

inline ModelConfig read(const Json& json) {
  return find_family(json.at("model_type"), "config.json").read_config(json, "config.json");
}

inline Json with(const char* text, const char* key, Json value) {
  Json json = Json::parse(text);
  json[key] = std::move(value);
  return json;
}
inline Json without(const char* text, const char* key) {
  Json json = Json::parse(text);
  json.erase(key);
  return json;
}

inline std::string refusal(const Json& json) {
  return error_of([&] { read(json); }, ErrorKind::data);
}

}  // namespace surprisal
