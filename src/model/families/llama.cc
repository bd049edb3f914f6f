// Llama (Touvron et al., arXiv 2302.13971) to Llama 3 as `transformers` stores them: LlamaForCausalLM.
#include <string>

#include "model/families/classifier.h"
#include "model/families/families.h"
#include "model/families/llama_body.h"

namespace surprisal {
namespace {

constexpr const char* kArchitecture = "LlamaForCausalLM";
constexpr std::int64_t kBegin = 1, kEnd = 2;  // of Llama's SentencePiece model

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  ModelConfig config = shape_of_llama("llama");
  read_llama_body(reader, config);
  config.qkv_bias = config.attention_output_bias = reader.flag_or("attention_bias", false);
  config.feed_forward_bias = reader.flag_or("mlp_bias", false);
  config.bos_token_id = reader.token_id("bos_token_id", kBegin, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", kEnd, config.vocab_size);
  reader.only("rope_interleaved", false);
  // pretraining_tp: in how many slices a product was rounded; max_sequence_length: of the first conversions.
  reader.pass_over({"pretraining_tp", "max_sequence_length"});
  read_classifier(reader, llama_family(), config);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  Json json = write_llama_body(config, kArchitecture);
  json["attention_bias"] = config.qkv_bias;
  json["head_dim"] = config.head_size();
  json["mlp_bias"] = config.feed_forward_bias;
  json["pretraining_tp"] = 1;
  OrderedJson sorted(json);
  write_classifier(llama_family(), config, sorted);
  return sorted;
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  return llama_from_options(options, vocabulary, sequence_length, shape_of_llama("llama"));
}

}  // namespace

const Family& llama_family() {
  static const Family family{.name = "llama",
                             .architecture = kArchitecture,
                             .decoder = true,
                             .sequence_classifier = {.architecture = "LlamaForSequenceClassification",
                                                     .projection = "score",
                                                     .bias = false,
                                                     .dropout = false},
                             .token_classifier = {.architecture = "LlamaForTokenClassification",
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
