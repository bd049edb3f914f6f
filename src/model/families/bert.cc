// BERT (Devlin et al. 2018) as `transformers` stores it: BertForPreTraining, and BertForMaskedLM, which is
// the same without sentence head.
#include <string>

#include "model/families/bert_body.h"
#include "model/families/families.h"

namespace surprisal {
namespace {

constexpr const char* kPreTraining = "BertForPreTraining";
constexpr const char* kMaskedLM = "BertForMaskedLM";

// What no key of config.json can change.
ModelConfig shape_of_family(bool sentence_head) {
  ModelConfig config;
  config.family = "bert";
  config.norm = NormPlacement::post;
  config.embedding_norm = true;
  config.head_transform = true;
  config.head_bias = true;
  config.pooler = sentence_head;
  config.classes = sentence_head ? 2 : 0;
  return config;
}

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  const bool masked_only = reader.has_architecture(kMaskedLM) && !reader.has_architecture(kPreTraining);
  ModelConfig config = shape_of_family(!masked_only);
  read_bert_body(reader, 0, config);
  config.bos_token_id = reader.token_id("bos_token_id", -1, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", -1, config.vocab_size);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  return write_bert_body(config, config.classes > 0 ? kPreTraining : kMaskedLM);
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  ModelConfig config = shape_of_family(true);
  config.type_vocab_size = options.type_vocab_size > 0 ? options.type_vocab_size : 2;
  set_bert_body(options, {.activation = "gelu", .layer_norm_eps = 1e-12}, vocabulary, sequence_length,
                config);
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  bind_bert_body(list, "bert.", config);
  list.add_pair("cls.predictions.transform.dense", "head.transform");
  list.add_pair("cls.predictions.transform.LayerNorm", "head.norm");
  // An untied decoder has a bias of its own, beside which `transformers` keeps cls.predictions.bias unused.
  list.add(config.tie_word_embeddings ? "cls.predictions.bias" : "cls.predictions.decoder.bias", "head.bias");
  if (!config.tie_word_embeddings) list.add("cls.predictions.decoder.weight", "head.weight");
  if (config.classes > 0) list.add_pair("cls.seq_relationship", "sentence_head");
  return std::move(list).finish();
}

bool buffer(std::string_view name) {
  return name == "bert.embeddings.position_ids" || name == "bert.embeddings.token_type_ids";
}

std::vector<SharedTensor> shared(const ModelConfig& config) {
  if (!config.tie_word_embeddings) return {{"cls.predictions.bias", "cls.predictions.decoder.bias", false}};
  return {{"cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"},
          {"cls.predictions.decoder.bias", "cls.predictions.bias"}};
}

}  // namespace

const Family& bert_family() {
  static const Family family{.name = "bert",
                             .architecture = kPreTraining,
                             .decoder = false,
                             .sentence_head = true,
                             .prefix = "bert.",
                             .body = {"embeddings.", "encoder.", "pooler."},
                             .read_config = read_config,
                             .write_config = write_config,
                             .from_options = from_options,
                             .bindings = bindings,
                             .buffer = buffer,
                             .shared = shared};
  return family;
}

}  // namespace surprisal
