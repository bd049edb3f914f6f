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

// As the hub holds Llama 3.1 8B, Llama 2 7B and Qwen2.5 0.5B.
inline constexpr const char* kHubLlama31 = R"({
  "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
  "bos_token_id": 128000, "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096,
  "initializer_range": 0.02, "intermediate_size": 14336, "max_position_embeddings": 131072, "mlp_bias": false,
  "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
  "pretraining_tp": 1, "rms_norm_eps": 1e-05,
  "rope_scaling": {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
    "original_max_position_embeddings": 8192, "rope_type": "llama3"},
  "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
  "transformers_version": "4.42.3", "use_cache": true, "vocab_size": 128256})";
inline constexpr const char* kHubLlama2 = R"({
  "_name_or_path": "meta-llama/Llama-2-7b-hf", "architectures": ["LlamaForCausalLM"], "bos_token_id": 1,
  "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
  "intermediate_size": 11008, "max_position_embeddings": 4096, "model_type": "llama",
  "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 32, "pretraining_tp": 1,
  "rms_norm_eps": 1e-05, "rope_scaling": null, "tie_word_embeddings": false, "torch_dtype": "float16",
  "transformers_version": "4.31.0.dev0", "use_cache": true, "vocab_size": 32000})";
inline constexpr const char* kHubQwen25 = R"({
  "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
  "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
  "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 24,
  "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
  "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true,
  "torch_dtype": "bfloat16", "transformers_version": "4.40.1", "use_cache": true, "use_mrope": false,
  "use_sliding_window": false, "vocab_size": 151936})";

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
