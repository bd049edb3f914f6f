// Qwen2 and Qwen2.5 (Yang et al., arXiv 2407.10671) as `transformers` stores them: Qwen2ForCausalLM. Llama
// with biases of queries, keys and values.
#include <string>

#include "model/families/classifier.h"
#include "model/families/families.h"
#include "model/families/llama_body.h"

namespace surprisal {
namespace {

constexpr const char* kArchitecture = "Qwen2ForCausalLM";
constexpr const char* kFullAttention = "full_attention";

ModelConfig shape_of_family() {
  ModelConfig config = shape_of_llama("qwen2");
  config.qkv_bias = true;
  return config;
}

Json full_attention(const ModelConfig& config) {
  return Json(std::vector<std::string>(static_cast<std::size_t>(config.num_hidden_layers), kFullAttention));
}

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  ModelConfig config = shape_of_family();
  reader.size("num_key_value_heads", ModelLimits::hidden_size);  // left out, it would mean 32
  read_llama_body(reader, config);
  config.bos_token_id = reader.token_id("bos_token_id", -1, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", -1, config.vocab_size);
  reader.only("use_sliding_window", false);
  reader.only("layer_types", full_attention(config));
  // Sizes of the window that use_sliding_window turns on.
  reader.pass_over({"sliding_window", "max_window_layers"});
  read_classifier(reader, qwen2_family(), config);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  Json json = write_llama_body(config, kArchitecture);
  if (config.head_dim > 0) json["head_dim"] = config.head_dim;
  json["layer_types"] = full_attention(config);
  json["sliding_window"] = nullptr;
  json["use_sliding_window"] = false;
  OrderedJson sorted(json);
  write_classifier(qwen2_family(), config, sorted);
  return sorted;
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  return llama_from_options(options, vocabulary, sequence_length, shape_of_family());
}

}  // namespace

const Family& qwen2_family() {
  static const Family family{.name = "qwen2",
                             .architecture = kArchitecture,
                             .decoder = true,
                             .sequence_classifier = {.architecture = "Qwen2ForSequenceClassification",
                                                     .projection = "score",
                                                     .bias = false,
                                                     .dropout = false},
                             .token_classifier = {.architecture = "Qwen2ForTokenClassification",
                                                  .projection = "score",
                                                  .usual_dropout = 0.1},
                             .prefix = "model.",
                             .body = {"embed_tokens.", "layers.", "norm."},
                             .read_config = read_config,
                             .write_config = write_config,
                             .from_options = from_options,
                             .bindings = llama_bindings,
                             .buffer = is_llama_buffer,
                             .shared = shared_by_llama};
  return family;
}

}  // namespace surprisal
