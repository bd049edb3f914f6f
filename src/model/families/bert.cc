// BERT (Devlin et al. 2018) as `transformers` stores it: BertForPreTraining, and BertForMaskedLM, which is
// the same without sentence head.
#include <string>

#include "model/families/bert_body.h"
#include "model/families/classifier.h"
#include "model/families/families.h"

namespace surprisal {
namespace {

constexpr const char* kPrefix = "bert.";
constexpr const char* kPreTraining = "BertForPreTraining";
constexpr const char* kMaskedLM = "BertForMaskedLM";

ModelConfig shape_of_family(bool sentence_head) {
  ModelConfig config = shape_of_bert("bert");
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
  read_classifier(reader, bert_family(), config);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  OrderedJson json = write_bert_body(config, config.classes > 0 ? kPreTraining : kMaskedLM);
  write_classifier(bert_family(), config, json);
  return json;
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

const MaskedHeadNames& head_names() {
  static const MaskedHeadNames names{.transform = "cls.predictions.transform.dense",
                                     .norm = "cls.predictions.transform.LayerNorm",
                                     .bias = "cls.predictions.bias",
                                     .decoder = "cls.predictions.decoder"};
  return names;
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  bind_bert_body(list, kPrefix, config);
  bind_masked_head(list, head_names(), config);
  bind_classifier(list, bert_family(), config);
  if (config.vocabulary_head() && config.classes > 0) list.add_pair("cls.seq_relationship", "sentence_head");
  return std::move(list).finish();
}

bool buffer(std::string_view name) {
  return is_bert_buffer(name, kPrefix);
}

std::vector<SharedTensor> shared(const ModelConfig& config) {
  return shared_by_masked_head(head_names(), kPrefix, config);
}

}  // namespace

const Family& bert_family() {
  static const Family family{
      .name = "bert",
      .architecture = kPreTraining,
      .decoder = false,
      .sentence_head = true,
      .sequence_classifier = {.architecture = "BertForSequenceClassification",
                              .pooler = "bert.pooler.dense",
                              .projection = "classifier"},
      .token_classifier = {.architecture = "BertForTokenClassification", .projection = "classifier"},
      .prefix = kPrefix,
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
