// RoBERTa (Liu et al. 2019) as `transformers` stores it: RobertaForMaskedLM. BERT's body; positions count
// from behind the padding token's id, so that a table of 514 rows holds 512 of them; the head's GELU is exact
// whatever hidden_act says. The published files have a pooler that nothing uses, which is kept.
#include <string>

#include "model/families/bert_body.h"
#include "model/families/classifier.h"
#include "model/families/families.h"

namespace surprisal {
namespace {

constexpr const char* kPrefix = "roberta.";
constexpr const char* kArchitecture = "RobertaForMaskedLM";
constexpr std::int64_t kBegin = 0, kPadding = 1, kEnd = 2;  // of fairseq's dictionary

ModelConfig shape_of_family() {
  ModelConfig config = shape_of_bert("roberta");
  config.positions_after_padding = true;
  config.head_activation = Activation::gelu;
  return config;
}

ModelConfig read_config(const Json& json, const std::string& where) {
  ConfigReader reader(json, where);
  ModelConfig config = shape_of_family();
  read_bert_body(reader, kPadding, config);
  config.bos_token_id = reader.token_id("bos_token_id", kBegin, config.vocab_size);
  config.eos_token_id = reader.token_id("eos_token_id", kEnd, config.vocab_size);
  read_classifier(reader, roberta_family(), config);
  reader.finish();
  check_config(config, ErrorKind::data, where);
  return config;
}

OrderedJson write_config(const ModelConfig& config) {
  OrderedJson json = write_bert_body(config, kArchitecture);
  write_classifier(roberta_family(), config, json);
  return json;
}

ModelConfig from_options(const ModelOptions& options, const ModelVocabulary& vocabulary,
                         std::int64_t sequence_length) {
  ModelConfig config = shape_of_family();
  config.type_vocab_size = options.type_vocab_size > 0 ? options.type_vocab_size : 1;
  set_bert_body(options, {.activation = "gelu", .layer_norm_eps = 1e-5, .pad_token_id = kPadding}, vocabulary,
                sequence_length, config);
  check_config(config, ErrorKind::usage, "[model]");
  return config;
}

const MaskedHeadNames& head_names() {
  static const MaskedHeadNames names{.transform = "lm_head.dense",
                                     .norm = "lm_head.layer_norm",
                                     .bias = "lm_head.bias",
                                     .decoder = "lm_head.decoder"};
  return names;
}

std::vector<Binding> bindings(const ModelConfig& config, const ParameterTable& table) {
  BindingList list(table);
  bind_bert_body(list, kPrefix, config);
  bind_masked_head(list, head_names(), config);
  bind_classifier(list, roberta_family(), config);
  return std::move(list).finish();
}

bool buffer(std::string_view name) {
  return is_bert_buffer(name, kPrefix);
}

std::vector<SharedTensor> shared(const ModelConfig& config) {
  return shared_by_masked_head(head_names(), kPrefix, config);
}

}  // namespace

const Family& roberta_family() {
  static const Family family{
      .name = "roberta",
      .architecture = kArchitecture,
      .decoder = false,
      .sentence_head = false,
      .sequence_classifier = {.architecture = "RobertaForSequenceClassification",
                              .pooler = "classifier.dense",
                              .projection = "classifier.out_proj",
                              .pooler_dropout = true},
      .token_classifier = {.architecture = "RobertaForTokenClassification", .projection = "classifier"},
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
